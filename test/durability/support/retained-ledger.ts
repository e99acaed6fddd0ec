/**
 * The book of retained messages: one sender per topic, so that the order of values is known. After a crash a topic may
 * hold the value whose acknowledgement came last, or any that was sent after it and not acknowledged; nothing older.
 *
 *   sent      a   b   c   d   e          a repeated sending is an entry of its own, at the end
 *   acked     a   b
 *   may hold      b   c   d   e
 */
interface Sending {
  readonly key: string;
  /** Undefined is no retained message: the sending cleared it. */
  readonly value: string | undefined;
}

export class RetainedLedger {
  /** Sendings from the last acknowledged one on, by topic; the first entry is the acknowledged one. */
  readonly #topics = new Map<string, Sending[]>();
  /** Messages that may be sent again, by key. */
  readonly #underWay = new Map<string, Sending>();

  recordSent(topic: string, key: string, value: string | undefined): void {
    const sending = { key, value };
    this.#underWay.set(key, sending);
    this.#ensureTopic(topic).push(sending);
  }

  /** The same message once more: it may take effect once more. */
  recordSentAgain(topic: string, key: string): void {
    const sending = this.#underWay.get(key);
    if (sending !== undefined) this.#ensureTopic(topic).push(sending);
  }

  /** The last sending of this message has taken effect, and none before it counts any more. */
  recordAcknowledged(topic: string, key: string): void {
    this.#underWay.delete(key);
    const sendings = this.#ensureTopic(topic);
    const at = sendings.findLastIndex((sending) => sending.key === key);
    if (at > 0) sendings.splice(0, at);
  }

  /** @param found value by topic, as a new subscriber got them */
  verdict(found: ReadonlyMap<string, string>): string[] {
    const wrong = [...this.#topics]
      .filter(([topic, sendings]) => !sendings.some(({ value }) => value === found.get(topic)))
      .map(([topic, sendings]) => {
        const allowed = sendings.map(({ value }) => value ?? 'nothing').join(', ');
        return `retained ${topic} is ${found.get(topic) ?? 'nothing'}; it may be ${allowed}`;
      });
    const unknown = [...found.keys()].filter((topic) => !this.#topics.has(topic));
    return [...wrong, ...unknown.map((topic) => `retained ${topic} was never sent`)];
  }

  #ensureTopic(topic: string): Sending[] {
    let sendings = this.#topics.get(topic);
    if (sendings === undefined) {
      // Before anything was acknowledged there may be nothing.
      sendings = [{ key: '', value: undefined }];
      this.#topics.set(topic, sendings);
    }
    return sendings;
  }
}
