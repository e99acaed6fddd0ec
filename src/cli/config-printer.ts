/** `millrace config print`: the effective configuration as YAML that can be used as a file, with the origin of each value. */
import { stringify } from 'yaml';
import { formatByteSize } from './byte-size.js';
import type { Configuration } from './config-loader.js';
import { originText } from './config-origin.js';
import { formatDuration } from './duration.js';
import { findChild, isList, isSection, type SettingNode, settingTree } from './setting-tree.js';

export function printConfiguration(configuration: Configuration): string {
  return printSection(configuration, configuration.settings, settingTree(), []).join('\n').concat('\n');
}

function printSection(
  configuration: Configuration,
  values: Readonly<Record<string, unknown>>,
  section: SettingNode,
  path: readonly string[],
): string[] {
  const indent = '  '.repeat(path.length);
  return namesIn(values, section).flatMap((key) => {
    const node = findChild(section, key) ?? {};
    const value = values[key];
    const here = [...path, key];
    if (isSection(node)) {
      // A listener that is there only when it is named.
      if (value === undefined) return [];
      const below = printSection(configuration, value as Record<string, unknown>, node, here);
      return [`${indent}${key}:`, ...below];
    }
    const origin = configuration.origins.find(here);
    const comment = origin === undefined ? 'default' : originText(origin);
    if (node['x-secret'] && value !== undefined) return [`${indent}# ${key}: # ${comment}, not shown`];
    if (isList(node) && Array.isArray(value) && value.length > 0) {
      return [`${indent}${key}: # ${comment}`, ...printItems(value, `${indent}  `)];
    }
    if (value !== undefined) return [`${indent}${key}: ${formatSetting(value, node)} # ${comment}`];
    // `path` of a TCP listener has no meaning; any other setting without a value is shown as one that could be set.
    return path[0] === 'listeners' ? [] : [`${indent}# ${key}: # ${comment}, not set`];
  });
}

/** The items of a list, without origins of their own: they all come from where the list comes from. */
function printItems(items: readonly unknown[], indent: string): string[] {
  const lines = stringify(items, { lineWidth: 0 }).trimEnd().split('\n');
  return lines.map((line) => `${indent}${line}`);
}

function namesIn(values: Readonly<Record<string, unknown>>, section: SettingNode): string[] {
  return [...new Set([...Object.keys(section.properties ?? {}), ...Object.keys(values)])];
}

/** A parsed value as one would write it in the file: `1MiB`, `7d`, `never`. */
export function formatSetting(value: unknown, node: SettingNode): string {
  if (typeof value === 'number') {
    if (value === node['x-never']) return 'never';
    if (node['x-unit'] === 'bytes') return formatByteSize(value);
    if (node['x-unit'] === 'seconds') return formatDuration(value);
  }
  return stringify(value).trimEnd();
}
