import { isScalar, parseDocument } from 'yaml';
import { findNode, type SettingNode } from './setting-tree.js';

/** What the text of an environment variable or a flag means, or that it means nothing. */
export type ScalarValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

/**
 * The value of `text` for the setting at `path`: a YAML scalar (`true`, `1883`, `10s`). For a setting that is always
 * text it is taken as it stands, so that a host of `::` needs no quotes.
 */
export function parseScalarValue(tree: SettingNode, path: readonly string[], text: string): ScalarValue {
  if (findNode(tree, path)?.type === 'string') return { ok: true, value: text };
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) return { ok: false };
  if (document.contents === null) return { ok: true, value: null };
  return isScalar(document.contents) ? { ok: true, value: document.contents.value } : { ok: false };
}
