/**
 * The connections that wait for the journal. Each joins and leaves with nearly every message that is stored, so members know their
 * own places: no set that is hashed anew, and no copy of it whenever something has been settled.
 */

/** Place of a connection that does not wait. */
export const NOT_GATED = -1;

export interface GatedConnection {
  /** Kept up by the list. {@link NOT_GATED} at first. */
  gatedAt: number;
  /** The journal has settled more. It leaves the list if it waits for nothing any more. */
  onSettled(): void;
}

export class GatedConnections<C extends GatedConnection> implements Iterable<C> {
  readonly #members: C[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(connection: C): void {
    if (connection.gatedAt !== NOT_GATED) return;
    connection.gatedAt = this.#members.length;
    this.#members.push(connection);
  }

  delete(connection: C): void {
    const at = connection.gatedAt;
    if (at === NOT_GATED) return;
    connection.gatedAt = NOT_GATED;
    const last = this.#members.pop() as C;
    if (last === connection) return;
    this.#members[at] = last;
    last.gatedAt = at;
  }

  /**
   * Tells everybody who waits now. From the last one to the first: who takes the place of one that leaves has been told already,
   * or has joined meanwhile.
   */
  onSettled(): void {
    for (let at = this.#members.length - 1; at >= 0; at--) this.#members[at]?.onSettled();
  }

  /** Over those who wait now. */
  [Symbol.iterator](): IterableIterator<C> {
    return [...this.#members].values();
  }
}
