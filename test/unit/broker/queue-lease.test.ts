import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { QueueLease } from '../../../src/broker/queue-lease.js';
import { Message } from '../../../src/core/message.js';
import type { WorkDelivery } from '../../../src/core/work-source.js';

const OWNER = { onAcknowledged: () => {} };

/** What remains of the message when nobody but the lease is left to hold it. */
function leaseOfSentMessage(): { readonly lease: QueueLease; readonly content: WeakRef<Message> } {
  const message = new Message();
  const entry = { id: 'the-id', enqueuedAtMs: 1, group: '', key: '', attributes: [], origin: null };
  const receipt = { queueNumber: 3, sequence: 4, generation: 5 };
  const delivery: WorkDelivery = { ...receipt, message, id: 'the-id', attempt: 1, firstReceivedAtMs: 1, entry };
  return { lease: new QueueLease(delivery, OWNER, 7), content: new WeakRef(message) };
}

describe('a lease', () => {
  it('names what it is about, and lets go of the content that has been sent', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { lease, content } = leaseOfSentMessage();
    // A reference that was made or asked in a job is held until that has ended.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(content.deref()).toBeUndefined();
    expect(lease).toMatchObject({ queueNumber: 3, sequence: 4, generation: 5, id: 'the-id', packetId: 7 });
  });
});
