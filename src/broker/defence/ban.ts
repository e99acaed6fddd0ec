import type { BanEntry } from './defence-options.js';

/** Where a ban comes from: the configuration, which alone can lift it; somebody who administers the broker; the broker itself. */
export type BanOrigin = 'configuration' | 'administration' | 'flapping';

export interface Ban extends BanEntry {
  readonly origin: BanOrigin;
  /** When it began, ms since the epoch; 0 for one of the configuration. */
  readonly sinceMs: number;
  /** When it ends; Infinity if it does not. */
  readonly untilMs: number;
}
