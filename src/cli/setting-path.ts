/** The way to a value of the configuration: names, and numbers for places in a list, from 0. */
export type SettingPath = readonly (string | number)[];

/** As people write it: `storage.overrides[0].filter`. */
export function settingName(path: SettingPath): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key}]`;
    return name === '' ? key : `${name}.${key}`;
  }, '');
}
