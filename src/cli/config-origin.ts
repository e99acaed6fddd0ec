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

  set(path: readonly string[], origin: Origin): void {
    this.#byPath.set(JSON.stringify(path), origin);
  }

  find(path: readonly string[]): Origin | undefined {
    return this.#byPath.get(JSON.stringify(path));
  }

  /**
   * The origin that a person should look at for `path`: its own, else that of something below the closest section
   * around it that was configured at all.
   */
  findNearest(path: readonly string[]): Origin | undefined {
    for (let length = path.length; length > 0; length--) {
      const prefix = path.slice(0, length);
      const own = this.find(prefix);
      if (own !== undefined) return own;
      const stem = `${JSON.stringify(prefix).slice(0, -1)},`;
      for (const [key, origin] of this.#byPath) if (key.startsWith(stem)) return origin;
    }
    return undefined;
  }
}

/** One value that the environment or a flag puts over the file. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly origin: Origin;
}
