/**
 * Who did what, and who was refused: one structured line each, marked `audit`, beside the log of what the broker does. Never holds
 * a password, a token or a payload; text that others have chosen is bounded. What is refused can be had as often as anybody
 * likes, so those lines have a rate, and the next one says how many were kept back.
 */
import type { Logger } from 'pino';
import type { Clock } from './clock.js';
import { loggable } from './loggable-text.js';
import { TokenBucket } from './token-bucket.js';

/** `failures`: who was refused, and what was changed; `all`: who came and went as well. */
export type AuditMode = 'off' | 'failures' | 'all';

export type AuditFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

const FAILURES_PER_SECOND = 20;
const FAILURES_AT_ONCE = 100;

export class AuditLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #mode: AuditMode;
  readonly #bucket: TokenBucket;
  #keptBack = 0;

  constructor(logger: Logger, clock: Clock, mode: AuditMode) {
    // Whatever is left out of the log for its weight, this was asked for.
    const options = logger.level === 'silent' ? {} : { level: 'info' };
    this.#logger = logger.child({ audit: true }, options);
    this.#clock = clock;
    this.#mode = mode;
    this.#bucket = new TokenBucket(FAILURES_PER_SECOND, FAILURES_AT_ONCE, clock.now());
  }

  /** Whether successes are told, for those who would have to gather what there is to be told. */
  get tellsAll(): boolean {
    return this.#mode === 'all';
  }

  /** Somebody did what is done all the time. */
  success(event: string, fields: AuditFields): void {
    if (this.#mode === 'all') this.#logger.info({ event, ...bounded(fields) }, event);
  }

  /** Somebody was refused. */
  failure(event: string, fields: AuditFields): void {
    if (this.#mode === 'off') return;
    if (!this.#bucket.take(this.#clock.now())) {
      this.#keptBack++;
      return;
    }
    const keptBack = this.#keptBack === 0 ? {} : { keptBack: this.#keptBack };
    this.#keptBack = 0;
    this.#logger.warn({ event, ...bounded(fields), ...keptBack }, event);
  }

  /** Something was changed that stays so. */
  change(event: string, fields: AuditFields): void {
    if (this.#mode !== 'off') this.#logger.info({ event, ...bounded(fields) }, event);
  }
}

function bounded(fields: AuditFields): AuditFields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, typeof value === 'string' ? loggable(value) : value]),
  );
}
