/** How clients have authenticated: counted by source, and told under `$SYS/broker/authentication/`. */

interface Outcomes {
  accepted: number;
  refused: number;
}

export class AuthenticationCounters {
  readonly #outcomes = new Map<string, Outcomes>();

  /** A source is told of from now on, also while it has decided nothing. */
  add(name: string): void {
    this.#of(name);
  }

  count(name: string, isAccepted: boolean): void {
    if (isAccepted) this.#of(name).accepted++;
    else this.#of(name).refused++;
  }

  *figures(): Generator<readonly [topic: string, value: number]> {
    for (const [name, { accepted, refused }] of this.#outcomes) {
      yield [`authentication/${name}/accepted`, accepted];
      yield [`authentication/${name}/refused`, refused];
    }
  }

  #of(name: string): Outcomes {
    const known = this.#outcomes.get(name);
    if (known !== undefined) return known;
    const outcomes = { accepted: 0, refused: 0 };
    this.#outcomes.set(name, outcomes);
    return outcomes;
  }
}
