/** Which message attributes a receiver asks for: all, by name, or by the beginning of their names (`order.*`). */
export class AttributeFilter {
  readonly #isAll: boolean;
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  constructor(asked: readonly string[]) {
    this.#isAll = asked.includes('All') || asked.includes('.*');
    this.#names = new Set(asked);
    this.#prefixes = asked.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -2));
  }

  get isNothing(): boolean {
    return this.#names.size === 0;
  }

  passes(name: string): boolean {
    return this.#isAll || this.#names.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}
