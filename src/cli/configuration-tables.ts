/** The reference part of docs/configuration.md; scripts/write-configuration-doc.mjs puts it there. */
import { formatByteSize } from './byte-size.js';
import { environmentName } from './config-environment.js';
import { formatDuration } from './duration.js';
import { eachSetting, isList, type SettingNode, settingTree } from './setting-tree.js';

/** Markdown: a heading, a sentence and a table for each section. */
export function configurationTables(): string {
  const sections = Object.entries(settingTree().properties ?? {});
  return sections.map(([name, section]) => sectionText(name, section)).join('\n');
}

function sectionText(name: string, section: SettingNode): string {
  // All listeners have the same settings: the two that are there from the start show them once.
  const named = section.additionalProperties ? section.additionalProperties : undefined;
  const rows = [...eachSetting(named ?? section)].flatMap(({ path, node }) => {
    const setting = [name, ...(named === undefined ? [] : ['NAME']), ...path].join('.');
    const defaultText = named === undefined ? plainDefault(node) : listenerDefaults(section, path);
    return [row(setting, defaultText, node), ...itemRows(setting, node)];
  });
  const table = tableText([['Setting', 'Default', 'Takes', 'Meaning'], ...rows]);
  const first = [...eachSetting(section)].find(({ path }) => path.length > 0 && path.at(-1) !== 'kind')?.path ?? [];
  return `### ${name}\n\n${section.description ?? ''} In the environment, for example: \`${environmentName(first.length === 0 ? [name, 'NAME', 'maxMessages'] : [name, ...first])}\`.\n\n${table}\n`;
}

/** What each item of a list consists of. */
function itemRows(list: string, node: SettingNode): string[][] {
  const parts = Object.entries(node.items?.properties ?? {});
  const mustBeSet = new Set(node.items?.required ?? []);
  return parts.map(([key, part]) => row(`${list}[].${key}`, mustBeSet.has(key) ? 'must be set' : 'unset', part));
}

function row(setting: string, defaultText: string, node: SettingNode): string[] {
  return [`\`${setting}\``, defaultText, takes(node), (node.description ?? '').replaceAll('|', '\\|')];
}

/** Columns are padded, as the formatter of this repository wants them. */
function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const [head, ...body] = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [head ?? [], widths.map((width) => '-'.repeat(width)), ...body].map(line).join('\n');
}

function plainDefault(node: SettingNode): string {
  if (isList(node) || node.type === 'object') return node.default === undefined ? 'unset' : 'empty';
  return node.default === undefined ? 'unset' : `\`${String(node.default)}\``;
}

/** `tcp` and `ws` differ in some defaults; a listener by another name has to give what has none. */
function listenerDefaults(section: SettingNode, path: readonly string[]): string {
  const common = section.additionalProperties ? findSetting(section.additionalProperties, path) : undefined;
  const hasOwnDefaults = Object.keys(section.properties ?? {}).length > 0;
  const named = Object.entries(section.properties ?? {});
  const isSetByName = named.some(([, listener]) => findSetting(listener, path)?.default !== undefined);
  if (common?.default !== undefined || path[0] === 'path' || !hasOwnDefaults || !isSetByName) {
    return plainDefault(common ?? {});
  }
  return named
    .map(([name, listener]) => `${name}: ${plainDefault(findSetting(listener, path) ?? {})}`)
    .concat('others: must be set')
    .join('<br>');
}

function findSetting(node: SettingNode, path: readonly string[]): SettingNode | undefined {
  return [...eachSetting(node)].find((setting) => setting.path.join('.') === path.join('.'))?.node;
}

function takes(node: SettingNode): string {
  if (node.enum !== undefined) return node.enum.map((word) => `\`${word}\``).join(', ');
  if (node.type === 'boolean') return '`true`, `false`';
  if (node.items !== undefined) {
    const parts = Object.keys(node.items.properties ?? {}).map((key) => `\`${key}\``);
    if (parts.length === 0) return node.items['x-unit'] === 'seconds' ? 'list of durations' : 'list of texts';
    return `list of ${parts.join(' with ')}`;
  }
  if (node.type === 'object') return 'map of texts';
  const unit = node['x-unit'] ?? '';
  const range = node.anyOf?.[0] ?? node;
  if (range.minimum === undefined || range.maximum === undefined) return 'text';
  if (unit === 'bytes') return `size, ${formatByteSize(range.minimum)} to ${formatByteSize(range.maximum)}`;
  if (unit === 'seconds') {
    const highest = range.maximum === node['x-never'] ? '`never`' : formatDuration(range.maximum);
    return `duration, ${formatDuration(range.minimum)} to ${highest}`;
  }
  return `${unit === '' ? 'number' : unit}, ${range.minimum} to ${range.maximum}`;
}
