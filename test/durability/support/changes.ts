/**
 * Waiting for a state instead of for a time: whoever changes something calls `notify`, and every wait looks again. The
 * patience is there to name what never came, not to pass a test.
 */
export class Changes {
  readonly #waiting = new Set<{ look: () => void; reject: (error: Error) => void }>();
  #failure: Error | undefined;

  /** Something may have become true. */
  notify(): void {
    for (const { look } of this.#waiting) look();
  }

  /** Nothing that is waited for can come any more: every wait ends with this error, later ones too. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting) reject(error);
  }

  /**
   * Resolves when `condition` holds.
   * @param what names what is waited for, as it stands when the patience is over
   */
  async until(condition: () => boolean, what: () => string, patienceMs = 30_000): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (condition()) return;
    let timer: NodeJS.Timeout | undefined;
    let waiting: { look: () => void; reject: (error: Error) => void } | undefined;
    await new Promise<void>((resolve, reject) => {
      waiting = { look: () => condition() && resolve(), reject };
      this.#waiting.add(waiting);
      timer = setTimeout(() => reject(new Error(`waited ${patienceMs} ms for ${what()}`)), patienceMs);
    }).finally(() => {
      clearTimeout(timer);
      if (waiting !== undefined) this.#waiting.delete(waiting);
    });
  }
}
