/**
 * Reads `MILLRACE__SECTION__KEY` variables. A camelCase key is found whatever the case and with or without single
 * underscores: `MILLRACE__MQTT__MAX_PACKET_SIZE` is `mqtt.maxPacketSize`. A variable with our prefix that names no
 * setting is a problem: a typing error there would otherwise look like a setting without effect. A list is written as
 * JSON in one variable, and takes the place of the whole list of the file.
 */
import type { Override } from './config-origin.js';
import type { ConfigurationProblem } from './configuration-error.js';
import { findChild, isList, isSection, type SettingNode } from './setting-tree.js';
import { parseSettingValue } from './setting-value.js';
import { closestName, foldName } from './suggestion.js';

export const ENVIRONMENT_PREFIX = 'MILLRACE__';

/** `['mqtt', 'maxPacketSize']` → `MILLRACE__MQTT__MAX_PACKET_SIZE` */
export function environmentName(path: readonly string[]): string {
  return ENVIRONMENT_PREFIX + path.map(environmentSegment).join('__');
}

function environmentSegment(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
}

/**
 * @param names that the file gives to listeners and queues, so that a variable can reach into one defined there
 * @returns the overrides in the order of the variables' names, and what is wrong with the others
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  tree: SettingNode,
  names: readonly string[],
): { readonly overrides: readonly Override[]; readonly problems: readonly ConfigurationProblem[] } {
  const overrides: Override[] = [];
  const problems: ConfigurationProblem[] = [];
  const takenBy = new Map<string, string>();
  for (const name of Object.keys(environment).sort()) {
    const text = environment[name];
    if (text === undefined || !name.toUpperCase().startsWith(ENVIRONMENT_PREFIX)) continue;
    const refuse = (path: string, message: string, suggestion?: string): void => {
      problems.push({ where: `environment ${name}`, path, message, suggestion });
    };
    const found = findPath(tree, name.slice(ENVIRONMENT_PREFIX.length).split('__'), names);
    if ('unknown' in found) {
      refuse('', 'unknown setting', found.unknown);
      continue;
    }
    const path = found.path.join('.');
    const earlier = takenBy.get(path);
    if (earlier !== undefined) {
      refuse(path, `set twice, also by ${earlier}`);
      continue;
    }
    takenBy.set(path, name);
    const parsed = parseSettingValue(tree, found.path, text);
    if (parsed.ok) overrides.push({ path: found.path, value: parsed.value, origin: { kind: 'environment', name } });
    else refuse(path, parsed.message);
  }
  return { overrides, problems };
}

type FoundPath = { readonly path: readonly string[] } | { readonly unknown: string | undefined };

function findPath(tree: SettingNode, segments: readonly string[], freeNames: readonly string[]): FoundPath {
  const path: string[] = [];
  let node = tree;
  for (const segment of segments) {
    // A list is one value: nothing in the environment reaches into it.
    if (isList(node)) return { unknown: environmentName(path) };
    const names = [...Object.keys(node.properties ?? {}), ...(node.additionalProperties ? freeNames : [])];
    const known = names.find((name) => foldName(name) === foldName(segment));
    const key = known ?? (node.additionalProperties && segment !== '' ? newName(segment) : undefined);
    const child = key === undefined ? undefined : findChild(node, key);
    if (key === undefined || child === undefined) {
      const closest = closestName(segment, names);
      return { unknown: closest === undefined ? undefined : environmentName([...path, closest]) };
    }
    path.push(key);
    node = child;
  }
  if (!isSection(node)) return { path };
  const first = Object.keys(node.properties ?? {})[0] ?? '';
  return { unknown: environmentName([...path, first]) };
}

function newName(segment: string): string {
  return segment.toLowerCase().replaceAll('_', '-');
}
