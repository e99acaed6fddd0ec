import type { SettingPath } from './setting-path.js';

/** Where a value of the effective configuration came from. */
export type Origin =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string };

/** `config.yaml:4:5`, `environment MILLRACE__LOG__LEVEL`, `flag --port`. */
export function originText(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}:${origin.column}`;
  return `${origin.kind} ${origin.name}`;
}

/** Origins by path of the setting; what has none is a default. */
export class Origins {
  readonly #byPath = new Map<string, Origin>();

  set(path: SettingPath, origin: Origin): void {
    this.#byPath.set(JSON.stringify(path), origin);
  }

  /** For a value that takes the place of all there was: what stood below `path` is forgotten. */
  replace(path: SettingPath, origin: Origin): void {
    const stem = stemOf(path);
    for (const key of this.#byPath.keys()) if (key.startsWith(stem)) this.#byPath.delete(key);
    this.set(path, origin);
  }

  find(path: SettingPath): Origin | undefined {
    return this.#byPath.get(JSON.stringify(path));
  }

  /**
   * The origin that a person should look at for `path`: its own, else that of something below the closest section
   * around it that was configured at all.
   */
  findNearest(path: SettingPath): Origin | undefined {
    for (let length = path.length; length > 0; length--) {
      const prefix = path.slice(0, length);
      const own = this.find(prefix);
      if (own !== undefined) return own;
      const stem = stemOf(prefix);
      for (const [key, origin] of this.#byPath) if (key.startsWith(stem)) return origin;
    }
    return undefined;
  }
}

/** What the keys of everything below `path` begin with. */
function stemOf(path: SettingPath): string {
  return `${JSON.stringify(path).slice(0, -1)},`;
}

/** One value that the environment or a flag puts over the file. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly origin: Origin;
}
