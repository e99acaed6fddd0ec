/**
 * What anybody on the network can bring about must not fill the log: of each kind one notice a minute, which says how
 * many were kept back since the last. Kinds are names of our own, so there are few.
 */
import type { Clock } from './clock.js';

const INTERVAL_MS = 60_000;

interface Kind {
  lastAtMs: number;
  keptBack: number;
}

export class NoticeLimit {
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns how many of this kind were kept back before, or null: this one is to be kept back too */
  offer(kind: string): number | null {
    const nowMs = this.#clock.now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.lastAtMs < INTERVAL_MS) {
      known.keptBack++;
      return null;
    }
    const keptBack = known?.keptBack ?? 0;
    this.#kinds.set(kind, { lastAtMs: nowMs, keptBack: 0 });
    return keptBack;
  }
}
