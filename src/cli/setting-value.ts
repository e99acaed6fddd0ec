import { isScalar, parseDocument } from 'yaml';
import { MAX_ALIAS_COUNT } from './config-file.js';
import { findNode, isList, type SettingNode } from './setting-tree.js';

/** What the text of an environment variable or a flag means, or what is wrong with it. */
export type SettingValue =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/**
 * The value of `text` for the setting at `path`: a YAML scalar (`true`, `1883`, `10s`), or for a list any YAML, and so
 * JSON. For a setting that is always text it is taken as it stands, so that a host of `::` needs no quotes.
 */
export function parseSettingValue(tree: SettingNode, path: readonly string[], text: string): SettingValue {
  const node = findNode(tree, path) ?? {};
  if (node.type === 'string') return { ok: true, value: text };
  return (isList(node) ? parseList(text) : parseScalar(text)) ?? refused(isList(node), text);
}

function parseScalar(text: string): SettingValue | undefined {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) return undefined;
  if (document.contents === null) return { ok: true, value: null };
  return isScalar(document.contents) ? { ok: true, value: document.contents.value } : undefined;
}

/** Of whatever kind the value is: that a list is expected is for the schema to say. */
function parseList(text: string): SettingValue | undefined {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    if (document.errors.length > 0) return undefined;
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) as unknown };
  } catch {
    // An alias bomb, or brackets nested until the stack ends: see config-file.ts.
    return undefined;
  }
}

function refused(wantsList: boolean, text: string): SettingValue {
  const what = wantsList ? 'a list written as JSON' : 'one plain value';
  return { ok: false, message: `expected ${what}, found ${JSON.stringify(text.slice(0, 60))}` };
}
