/**
 * Topic aliases that we use towards one client (section 3.3.2.3.4): the first topics get one, up to the client's Topic
 * Alias Maximum [MQTT-3.1.2-26]. They are never reassigned; a client with more topics gets the rest spelt out.
 */
export class OutboundAliases {
  readonly #maximum: number;
  readonly #aliases = new Map<string, number>();
  /** The alias of the last {@link assign} is known to the client. */
  isKnown = false;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias for `topic`, or 0 if there is none for it; `isKnown` tells whether the topic may be left out. */
  assign(topic: string): number {
    const alias = this.#aliases.get(topic);
    this.isKnown = alias !== undefined;
    if (alias !== undefined) return alias;
    if (this.#aliases.size >= this.#maximum) return 0;
    this.#aliases.set(topic, this.#aliases.size + 1);
    return this.#aliases.size;
  }
}
