/**
 * The bound on what waits in the queues of all kept sessions together (docs/decisions/0021). Sessions keep to it
 * themselves; here publishers are refused, if the policy says so, and whoever runs the broker is told.
 */
import type { Logger } from 'pino';
import type { DropCounters } from '../core/drop-counters.js';
import type { NoticeLimit } from '../core/notice-limit.js';
import type { MessageLog } from '../store/message-log.js';
import type { TotalOverflowPolicy } from './broker-options.js';

export class SessionQueueBound {
  /** Infinity for no limit. */
  readonly maximumBytes: number;
  readonly #overflow: TotalOverflowPolicy;
  readonly #log: MessageLog;
  readonly #drops: DropCounters;
  readonly #notices: NoticeLimit;
  readonly #logger: Logger;

  /** @param maximumBytes 0 for no limit */
  constructor(
    maximumBytes: number,
    overflow: TotalOverflowPolicy,
    log: MessageLog,
    drops: DropCounters,
    notices: NoticeLimit,
    logger: Logger,
  ) {
    this.maximumBytes = maximumBytes === 0 ? Number.POSITIVE_INFINITY : maximumBytes;
    this.#overflow = overflow;
    this.#log = log;
    this.#drops = drops;
    this.#notices = notices;
    this.#logger = logger;
  }

  /** What waits now. */
  get bytes(): number {
    return this.#log.waitingBytes;
  }

  /** A message of so many bytes is to be refused if it would have to wait, and if its publisher can be told. */
  refuses(bytes: number): boolean {
    return this.#overflow === 'refuse' && this.bytes + bytes > this.maximumBytes;
  }

  /** A publisher is told. */
  countRefusal(): void {
    this.#drops.count('session-queues-full');
    this.notice();
  }

  /** A message has been kept out. */
  notice(): void {
    const keptBack = this.#notices.offer('session queues full');
    if (keptBack === null) return;
    const { bytes, maximumBytes } = this;
    this.#logger.warn(
      { bytes, maximumBytes, keptBack },
      'what waits for all sessions together has reached sessions.maxTotalQueuedBytes: no more of it is kept',
    );
  }
}
