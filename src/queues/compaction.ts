/**
 * Compacts what was in a queue before it was a compacted one: goes through it once, a page after the other, and has each message compared
 * with the last one of its key. It begins when the option is switched on, and anew after a restart that finds several messages of a key.
 */
import type { LastValues } from './last-values.js';
import type { Peek, Peeker, PeekPage } from './peek.js';
import type { Peeks } from './peeks.js';
import type { QueueCore } from './queue-core.js';
import { WakeUp } from './wake-up.js';

const MESSAGES_PER_PAGE = 1000;
const BETWEEN_PAGES_MS = 10;

export class Compaction implements Peeker {
  readonly #core: QueueCore;
  readonly #lastValues: LastValues;
  readonly #peeks: () => Peeks;
  /** Called when messages have gone that others of their groups may have waited for. */
  readonly #onCompacted: () => void;
  readonly #wakeUp: WakeUp;
  #peek: Peek | null = null;
  #afterSequence = 0;

  constructor(core: QueueCore, lastValues: LastValues, peeks: () => Peeks, onCompacted: () => void) {
    this.#core = core;
    this.#lastValues = lastValues;
    this.#peeks = peeks;
    this.#onCompacted = onCompacted;
    this.#wakeUp = new WakeUp(core.context.clock, () => this.#look());
  }

  /** Begins, or begins anew. Nothing has happened yet when it returns. */
  start(): void {
    if (this.#wakeUp.isSet && this.#afterSequence === 0) return;
    this.stop();
    this.#afterSequence = 0;
    this.#wakeUp.ensure(this.#core.nowMs);
  }

  stop(): void {
    this.#wakeUp.stop();
    const peek = this.#peek;
    this.#peek = null;
    peek?.cancel();
  }

  /** It does not begin any more. */
  end(): void {
    this.stop();
    this.#wakeUp.end();
  }

  onPeeked({ messages, cursor }: PeekPage): void {
    this.#peek = null;
    for (const { entry, sequence } of messages) if (entry.key !== '') this.#lastValues.onFound(entry, sequence);
    if (cursor !== null) {
      this.#afterSequence = cursor;
      this.#wakeUp.ensure(this.#core.nowMs + BETWEEN_PAGES_MS);
    }
    this.#onCompacted();
  }

  #look(): void {
    const peek = this.#peeks().start({ max: MESSAGES_PER_PAGE, afterSequence: this.#afterSequence }, this);
    if (peek.isOpen) this.#peek = peek;
  }
}
