/** A pattern for names, in which `*` stands for any characters. Matching takes no longer than the name is long, whatever the pattern. */
export class NamePattern {
  readonly #first: string;
  readonly #middle: readonly string[];
  /** null if the pattern has no `*`. */
  readonly #last: string | null;

  constructor(pattern: string) {
    const [first = '', ...others] = pattern.split('*');
    this.#first = first;
    this.#last = others.pop() ?? null;
    this.#middle = others.filter((part) => part !== '');
  }

  matches(name: string): boolean {
    if (this.#last === null) return name === this.#first;
    if (!name.startsWith(this.#first) || !name.endsWith(this.#last)) return false;
    const end = name.length - this.#last.length;
    let at = this.#first.length;
    // The first place where a part stands leaves the most room for the next ones.
    for (const part of this.#middle) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= end;
  }
}
