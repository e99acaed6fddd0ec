/**
 * Reads one YAML file into plain values and remembers where each key and value stands. Knows nothing of the settings.
 * Whatever the file contains costs bounded time and memory: its size and its aliases are limited.
 */
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigurationProblem } from './configuration-error.js';
import { type SettingPath, settingName } from './setting-path.js';
import { readGivenText, UnreadableFile } from './text-file.js';

/** Far above any real configuration; a wrong path (a log, a disk image) is refused instead of read. */
const MAX_FILE_BYTES = 1024 * 1024;

/** yaml's own bound: how many nodes aliases may multiply to ("billion laughs"). */
export const MAX_ALIAS_COUNT = 100;

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a key stands, and its value; for an item of a list both are the item. Keyed by `JSON.stringify(path)`. */
export type Positions = ReadonlyMap<string, { readonly key: Position; readonly value: Position }>;

export interface ConfigFile {
  /** Empty if there are problems that leave nothing to look at. */
  readonly values: Record<string, unknown>;
  readonly positions: Positions;
  readonly problems: readonly ConfigurationProblem[];
}

/** @param file path as the user gave it; it appears so in the problems */
export function readConfigFile(file: string): ConfigFile {
  const text = readGivenText(file, MAX_FILE_BYTES);
  if (!(text instanceof UnreadableFile)) return parseConfigText(file, text);
  return nothing([{ where: file, path: '', message: text.reason }]);
}

/** @param file name for the problems */
export function parseConfigText(file: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const where = ({ line, column }: Position): string => `${file}:${line}:${column}`;
  try {
    // Duplicate keys are found below, where their path is known.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'error',
    });
    const broken = [...document.errors, ...document.warnings].map(
      ({ pos, message }): ConfigurationProblem => ({ where: where(at(pos[0])), path: '', message: `YAML: ${message}` }),
    );
    if (broken.length > 0) return nothing(broken);
    return fromDocument(document, at, where);
  } catch (error) {
    // An alias bomb (ReferenceError), or brackets nested until the stack ends (RangeError).
    const reason =
      error instanceof RangeError ? 'nested too deeply' : error instanceof Error ? error.message : 'unreadable';
    return nothing([{ where: file, path: '', message: `YAML: ${reason}` }]);
  }
}

function fromDocument(
  document: Document.Parsed,
  at: (offset: number) => Position,
  where: (position: Position) => string,
): ConfigFile {
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return nothing([]);
  if (!isMap(root)) {
    const message = `expected a map of sections such as "listeners:", found ${isScalar(root) ? 'a single value' : 'a list'}`;
    return nothing([{ where: where(at(startOf(root))), path: '', message }]);
  }
  const positions = new Map<string, { key: Position; value: Position }>();
  const problems: ConfigurationProblem[] = [];
  // What stands behind an alias was visited where it is written, or is bounded by toJS.
  const walk = (value: unknown, path: SettingPath): void => {
    if (isMap(value)) walkMap(value, path);
    else if (isSeq(value)) walkList(value, path);
  };
  const walkMap = (map: YAMLMap, path: SettingPath): void => {
    const seen = new Map<string, Position>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const keyAt = at(startOf(key as Node));
      const here = [...path, name];
      const first = seen.get(name);
      if (first !== undefined) {
        problems.push({
          where: where(keyAt),
          path: settingName(here),
          message: `set twice, first in line ${first.line}`,
        });
      } else {
        seen.set(name, keyAt);
      }
      // Of two, the later one stands, as in toJS.
      const isEmpty = value === null || (isScalar(value) && value.value === null);
      positions.set(JSON.stringify(here), { key: keyAt, value: isEmpty ? keyAt : at(startOf(value as Node)) });
      walk(value, here);
    }
  };
  const walkList = (list: YAMLSeq, path: SettingPath): void => {
    for (const [index, item] of list.items.entries()) {
      const here = [...path, index];
      const itemAt = at(startOf(item as Node));
      positions.set(JSON.stringify(here), { key: itemAt, value: itemAt });
      walk(item, here);
    }
  };
  walk(root, []);
  return { values: document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) as Record<string, unknown>, positions, problems };
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function nothing(problems: readonly ConfigurationProblem[]): ConfigFile {
  return { values: {}, positions: new Map(), problems };
}
