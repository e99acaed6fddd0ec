/**
 * What was given for a ReceiveRequestAttemptId of a fifo queue: whoever asks again with it, since no answer reached him, gets the same messages
 * under the same handles, for as long as he still has all of them and has done nothing with any.
 */
import type { Delivery } from '../../queues/delivery.js';
import type { Queue } from '../../queues/queue.js';

interface Attempt {
  readonly key: string;
  readonly deliveries: readonly Delivery[];
  readonly handles: readonly string[];
  readonly givenAtMs: number;
  /** Memory that its messages lie in. */
  readonly bytes: number;
}

/** As SQS. */
const KEPT_MS = 300_000;
/** Each holds up to ten messages. The oldest one goes for the newest. */
const MOST_KEPT = 2000;
/** Of memory that is kept alive by the messages; counted once for each message that lies in it. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;

export class ReceiveAttempts {
  readonly #byKey = new Map<string, Attempt>();
  readonly #byHandle = new Map<string, Attempt>();
  #bytes = 0;

  remember(queue: Queue, attemptId: string, deliveries: readonly Delivery[], nowMs: number): void {
    const handles = deliveries.map(({ receiptHandle }) => receiptHandle);
    let bytes = 0;
    for (const { message } of deliveries) bytes += message.bytes.buffer.byteLength;
    const attempt: Attempt = { key: keyOf(queue, attemptId), deliveries, handles, givenAtMs: nowMs, bytes };
    this.#forget(this.#byKey.get(attempt.key));
    this.#bytes += bytes;
    this.#forgetOld(nowMs);
    this.#byKey.set(attempt.key, attempt);
    for (const handle of handles) this.#byHandle.set(handle, attempt);
  }

  /** @returns what was given for it, hidden for so long from now on; null if that is void, or nothing was */
  repeat(queue: Queue, attemptId: string, visibilityTimeoutMs: number, nowMs: number): readonly Delivery[] | null {
    const attempt = this.#byKey.get(keyOf(queue, attemptId));
    if (attempt === undefined) return null;
    if (nowMs - attempt.givenAtMs < KEPT_MS) {
      const outcomes = queue.extend(attempt.handles, visibilityTimeoutMs);
      if (outcomes.every((outcome) => outcome === 'done')) return attempt.deliveries;
    }
    this.#forget(attempt);
    return null;
  }

  /** Something has been done with a message: what it was given with cannot be given again. */
  onUsed(handle: string): void {
    this.#forget(this.#byHandle.get(handle));
  }

  #forget(attempt: Attempt | undefined): void {
    if (attempt === undefined) return;
    if (!this.#byKey.delete(attempt.key)) return;
    this.#bytes -= attempt.bytes;
    for (const handle of attempt.handles) this.#byHandle.delete(handle);
  }

  #forgetOld(nowMs: number): void {
    for (const attempt of this.#byKey.values()) {
      const isWithin = this.#byKey.size < MOST_KEPT && this.#bytes <= MOST_KEPT_BYTES;
      if (isWithin && nowMs - attempt.givenAtMs < KEPT_MS) return;
      this.#forget(attempt);
    }
  }
}

/** A queue gets another number when it is purged. */
function keyOf({ number }: Queue, attemptId: string): string {
  return `${number} ${attemptId}`;
}
