/**
 * Whether the store can keep its promise. Failing: a write went wrong and is being tried again, nothing is settled.
 * Full: writes still work, but free space has fallen below the minimum and whoever adds data should stop.
 * Failing outweighs full.
 */
export type StoreHealth =
  | { readonly state: 'ok' }
  | { readonly state: 'failing'; readonly sinceMs: number; readonly message: string }
  | {
      readonly state: 'full';
      readonly sinceMs: number;
      /** At the last look. */
      readonly freeBytes: number;
      readonly minimumFreeBytes: number;
    };

/** Full ends at this multiple of the minimum, so that space around the limit does not switch publishers on and off. */
const HYSTERESIS = 1.25;

const OK: StoreHealth = { state: 'ok' };

export class StoreHealthMonitor {
  readonly #minimumFreeBytes: number;
  readonly #listeners: ((health: StoreHealth) => void)[] = [];
  #failing: StoreHealth | null = null;
  #full: StoreHealth | null = null;

  /** @param minimumFreeBytes 0 for no limit */
  constructor(minimumFreeBytes: number) {
    this.#minimumFreeBytes = minimumFreeBytes;
  }

  get health(): StoreHealth {
    return this.#failing ?? this.#full ?? OK;
  }

  /** Calls `listener` each time the state has changed. */
  onChanged(listener: (health: StoreHealth) => void): void {
    this.#listeners.push(listener);
  }

  /** A write, or the attempt to repeat it, has failed. Epoch ms. */
  noteFailure(message: string, nowMs: number): void {
    const sinceMs = this.#failing?.state === 'failing' ? this.#failing.sinceMs : nowMs;
    this.#change(() => {
      this.#failing = { state: 'failing', sinceMs, message };
    });
  }

  noteRecovery(): void {
    this.#change(() => {
      this.#failing = null;
    });
  }

  noteFreeSpace(freeBytes: number, nowMs: number): void {
    const minimumFreeBytes = this.#minimumFreeBytes;
    const limit = this.#full === null ? minimumFreeBytes : minimumFreeBytes * HYSTERESIS;
    const sinceMs = this.#full?.state === 'full' ? this.#full.sinceMs : nowMs;
    this.#change(() => {
      this.#full = freeBytes < limit ? { state: 'full', sinceMs, freeBytes, minimumFreeBytes } : null;
    });
  }

  #change(apply: () => void): void {
    const before = this.health.state;
    apply();
    const { health } = this;
    if (health.state === before) return;
    for (const listener of this.#listeners) listener(health);
  }
}
