/** What has been decided about the topics that a client uses, within bounds: what clients make up must not fill the memory. */

/** More than most gateways publish to. */
const MAXIMUM_TOPICS = 1024;
const MAXIMUM_CHARACTERS = 32 * 1024;

export class DecisionCache {
  #decisions: Map<string, boolean> | null = null;
  #characters = 0;

  find(topic: string): boolean | undefined {
    return this.#decisions?.get(topic);
  }

  /** Keeps what was not there. */
  keep(topic: string, isAllowed: boolean): void {
    if (topic.length > MAXIMUM_CHARACTERS / 16) return;
    this.#characters += topic.length;
    if (this.#decisions === null || this.#decisions.size >= MAXIMUM_TOPICS || this.#characters > MAXIMUM_CHARACTERS) {
      this.#decisions = new Map();
      this.#characters = topic.length;
    }
    this.#decisions.set(topic, isAllowed);
  }

  clear(): void {
    this.#decisions = null;
  }
}
