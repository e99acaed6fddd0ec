/** What is remembered of attempts to receive, and what is let go of when it becomes too much. */
import { describe, expect, it } from 'vitest';
import { ReceiveAttempts } from '../../../../src/bridge/sqs/receive-attempts.js';
import type { Delivery } from '../../../../src/queues/delivery.js';
import type { Queue } from '../../../../src/queues/queue.js';

const queue = { number: 1, extend: (handles: readonly string[]) => handles.map(() => 'done') } as unknown as Queue;

/** As far as it is looked at. */
function delivery(receiptHandle: string, buffer: ArrayBuffer): Delivery {
  return { receiptHandle, message: { bytes: Buffer.from(buffer, 0, 10) } } as unknown as Delivery;
}

function isKept(attempts: ReceiveAttempts, id: string, nowMs = 0): boolean {
  return attempts.repeat(queue, id, 1000, nowMs) !== null;
}

describe('attempts to receive', () => {
  it('are given again for five minutes, until something has been done with a message', () => {
    const attempts = new ReceiveAttempts();
    for (const id of ['a', 'b']) attempts.remember(queue, id, [delivery(`of ${id}`, new ArrayBuffer(100))], 0);
    expect([isKept(attempts, 'a', 299_999), isKept(attempts, 'c')]).toEqual([true, false]);
    attempts.onUsed('of a');
    expect([isKept(attempts, 'a'), isKept(attempts, 'b', 300_000)]).toEqual([false, false]);
  });

  it('hold no more than 64 MiB of memory, for small messages in large blocks too', () => {
    const attempts = new ReceiveAttempts();
    const mebibyte = new ArrayBuffer(1024 * 1024);
    for (let id = 0; id < 100; id++) attempts.remember(queue, String(id), [delivery(`h${id}`, mebibyte)], 0);
    const kept = Array.from({ length: 100 }, (_, id) => isKept(attempts, String(id)));
    expect(kept.indexOf(true)).toBe(36);
    expect(kept.lastIndexOf(false)).toBe(35);
  });

  it('take no room any more when they are used, or given anew under the same id', () => {
    const attempts = new ReceiveAttempts();
    const mebibyte = new ArrayBuffer(1024 * 1024);
    attempts.remember(queue, 'first', [delivery('h', new ArrayBuffer(100))], 0);
    for (let round = 0; round < 200; round++) {
      attempts.remember(queue, 'again', [delivery(`again ${round}`, mebibyte)], 0);
      attempts.remember(queue, 'used', [delivery(`used ${round}`, mebibyte)], 0);
      attempts.onUsed(`used ${round}`);
    }
    expect(isKept(attempts, 'first')).toBe(true);
  });
});
