/** Takes over what the log has of a queue's messages when the process starts: each goes back to where it was, or is where its time has brought it. */
import { decodeEntry } from './entry-codec.js';
import type { LastValues } from './last-values.js';
import type { QueueCore } from './queue-core.js';
import { decodeState } from './state-codec.js';
import { IN_FLIGHT, NEVER, READY, type TrackedMessage } from './tracked-message.js';

export class MessageRecovery {
  readonly #core: QueueCore;
  readonly #lastValues: LastValues;
  /** Called when there are several messages of a key. */
  readonly #onNotCompacted: () => void;

  constructor(core: QueueCore, lastValues: LastValues, onNotCompacted: () => void) {
    this.#core = core;
    this.#lastValues = lastValues;
    this.#onNotCompacted = onNotCompacted;
  }

  /** In order of sequence. @throws DamagedQueueRecord; nothing has been changed then */
  restore(sequence: number, entryBytes: Buffer, stateBytes: Buffer | null, byteLength: number): void {
    const { index, counters, options, nowMs } = this.#core;
    const entry = decodeEntry(entryBytes);
    const { id, group, priority, enqueuedAtMs, delayedUntilMs, receiptTo } = entry;
    const state = stateBytes === null ? null : decodeState(stateBytes);
    const bytes = byteLength + entryBytes.length;
    counters.restored++;
    if (entry.key !== '' && options.compactBy === 'key' && !this.#lastValues.restore(entry, sequence)) {
      this.#onNotCompacted();
    }
    if (state === null && delayedUntilMs <= nowMs) {
      index.addWaiting(sequence, group, priority, enqueuedAtMs, bytes);
      return;
    }
    const message = index.addTracked(sequence, group, priority, enqueuedAtMs, bytes);
    if (state === null) {
      index.postpone(message, delayedUntilMs);
    } else {
      message.restore(state);
      if (receiptTo !== '' && options.receipts) message.receipt = { id, receiptTo };
      const isOver = state.state === READY || state.dueAtMs <= nowMs || state.dueAtMs === NEVER;
      if (!isOver && state.state === IN_FLIGHT) index.resume(message, state.dueAtMs);
      else if (!isOver) index.postpone(message, state.dueAtMs);
      else if (state.state === IN_FLIGHT) this.#traceOver(message, state.dueAtMs);
    }
  }

  /** Nobody was there to give it back. */
  #traceOver(message: TrackedMessage, dueAtMs: number): void {
    const isTimeout = dueAtMs !== NEVER;
    const { history, nowMs } = this.#core;
    history?.onReturned(message, isTimeout ? 'visibility-timeout' : 'consumer-gone', 0, isTimeout ? dueAtMs : nowMs);
  }
}
