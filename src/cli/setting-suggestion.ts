import type { SettingPath } from './setting-path.js';
import { eachSetting, findNode, settingTree } from './setting-tree.js';
import { closestName, foldName } from './suggestion.js';

/**
 * What was probably meant by the unknown `key` in the section at `path`: a name that looks like it in that section,
 * or a setting of that very name in another (then by its whole path).
 */
export function suggestSetting(path: SettingPath, key: string): string | undefined {
  const tree = settingTree();
  const siblings = Object.keys(findNode(tree, path)?.properties ?? {});
  const close = closestName(key, siblings);
  if (close !== undefined) return close;
  const elsewhere = [...eachSetting(tree)].find((setting) => foldName(setting.path.at(-1) ?? '') === foldName(key));
  return elsewhere?.path.join('.');
}
