/**
 * Bounds how many readings of one device are under way without an acknowledgement. Used by one device only, which
 * enters before it publishes and leaves when the broker has answered.
 */
export class InFlightWindow {
  readonly #limit: number;
  #inFlight = 0;
  #waiting: (() => void)[] = [];

  /** @param limit at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room, and takes it; resolves to false, and takes none, when `signal` is aborted first. */
  async enter(signal: AbortSignal): Promise<boolean> {
    while (this.#inFlight >= this.#limit && !signal.aborted) await this.#untilChange(signal);
    if (signal.aborted) return false;
    this.#inFlight += 1;
    return true;
  }

  leave(): void {
    this.#inFlight -= 1;
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }

  /** Resolves when nothing is under way any more, or `signal` is aborted. */
  async untilEmpty(signal: AbortSignal): Promise<void> {
    while (this.#inFlight > 0 && !signal.aborted) await this.#untilChange(signal);
  }

  #untilChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.#waiting.push(wake);
    });
  }
}
