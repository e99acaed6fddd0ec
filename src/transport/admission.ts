/** How many connections a listener has, and may have. One above that is closed at once, and counted. */
import type { Socket } from 'node:net';

export class Admission {
  readonly #maximum: number;
  #open = 0;
  #refused = 0;

  /** @param maximum connections at a time; undefined for no limit of ours */
  constructor(maximum: number | undefined) {
    this.#maximum = maximum ?? Number.POSITIVE_INFINITY;
  }

  /** Connections turned away so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Counts the socket in until it closes. @returns false if there is no room: it has been destroyed */
  admit(socket: Socket): boolean {
    if (this.#open >= this.#maximum) {
      this.#refused++;
      socket.on('error', () => {});
      socket.destroy();
      return false;
    }
    this.#open++;
    socket.on('close', this.#onClosed);
    return true;
  }

  // One function for all sockets: an idle connection costs no closure.
  readonly #onClosed = (): void => {
    this.#open--;
  };
}
