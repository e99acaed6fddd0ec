/**
 * The configuration as a tree of JSON Schema: what `millrace config schema` prints, and what the environment reader,
 * the suggestions, `config print` and the reference document walk, so that none of them knows a setting by name.
 */
import { z } from 'zod';
import { settingsSchema } from './config-schema.js';
import type { SettingPath } from './setting-path.js';

/** A section (has `properties`) or a setting; one that is a list has `items`. The `x-` keys are ours. */
export interface SettingNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly SettingNode[];
  readonly properties?: Readonly<Record<string, SettingNode>>;
  /** A section that takes further names, each of this shape. */
  readonly additionalProperties?: SettingNode | false;
  readonly items?: SettingNode;
  readonly required?: readonly string[];
  /** What the number counts: `bytes`, `seconds`, `messages` …; empty for none. */
  readonly 'x-unit'?: string;
  /** The number that is written `never`. */
  readonly 'x-never'?: number;
  /** The value is for nobody's eyes. */
  readonly 'x-secret'?: boolean;
}

let tree: SettingNode | undefined;

/** The whole configuration. The same object each time; not to be changed. */
export function settingTree(): SettingNode {
  tree ??= z.toJSONSchema(settingsSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // A section's own default, `{}`, says nothing that those of its settings do not say.
      if (jsonSchema.properties !== undefined) delete jsonSchema.default;
    },
  }) as SettingNode;
  return tree;
}

/** The node for `key` in the section `node`, or for any item of the list `node`, if there may be one. */
export function findChild(node: SettingNode, key: string | number): SettingNode | undefined {
  if (node.items !== undefined) return node.items;
  if (node.properties !== undefined && Object.hasOwn(node.properties, key)) return node.properties[key];
  return node.additionalProperties === false ? undefined : node.additionalProperties;
}

/** The node at `path` below `node`, if there may be one. */
export function findNode(node: SettingNode, path: SettingPath): SettingNode | undefined {
  let current: SettingNode | undefined = node;
  for (const key of path) current = current === undefined ? undefined : findChild(current, key);
  return current;
}

export function isSection(node: SettingNode): boolean {
  return node.properties !== undefined;
}

/** A list is one setting, whatever its items look like. */
export function isList(node: SettingNode): boolean {
  return node.items !== undefined;
}

/** Every setting below `node` with its path, in the order of the schema; the free names of `listeners` left out. */
export function* eachSetting(
  node: SettingNode,
  path: readonly string[] = [],
): Generator<{ readonly path: readonly string[]; readonly node: SettingNode }> {
  if (node.properties === undefined) yield { path, node };
  for (const [key, child] of Object.entries(node.properties ?? {})) yield* eachSetting(child, [...path, key]);
}
