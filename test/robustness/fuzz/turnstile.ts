/** Lets work run side by side and, now and then, something for which all of it has to be over. */
export class Turnstile {
  #running = 0;
  #alone: Promise<void> | undefined;
  #onQuiet: () => void = () => {};

  /** Runs `work` beside others, as soon as nothing runs alone. */
  async beside(work: () => Promise<void>): Promise<void> {
    while (this.#alone !== undefined) await this.#alone;
    this.#running++;
    try {
      await work();
    } finally {
      this.#running--;
      if (this.#running === 0) this.#onQuiet();
    }
  }

  /** Lets nothing more begin, waits for what runs, and runs `work`. To be called by one caller only. */
  async alone(work: () => Promise<void>): Promise<void> {
    let onDone = (): void => {};
    this.#alone = new Promise((resolve) => {
      onDone = resolve;
    });
    try {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
        if (this.#running === 0) resolve();
      });
      await work();
    } finally {
      this.#alone = undefined;
      onDone();
    }
  }
}
