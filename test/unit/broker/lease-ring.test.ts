import { describe, expect, it } from 'vitest';
import { LeaseRing } from '../../../src/broker/lease-ring.js';
import { QueueLease } from '../../../src/broker/queue-lease.js';
import { Message } from '../../../src/core/message.js';

function leaseOf(packetId: number): QueueLease {
  const entry = { id: 'id', enqueuedAtMs: 1, group: '', key: '', attributes: [], origin: null };
  const receipt = { queueNumber: 1, sequence: packetId, generation: 1 };
  const delivery = { ...receipt, message: new Message(), id: 'id', attempt: 1, firstReceivedAtMs: 1, entry };
  return new QueueLease(delivery, { onAcknowledged: () => {} }, packetId);
}

describe('leases by packet identifier', () => {
  it('are each given out once, and only under their own', () => {
    const ring = new LeaseRing();
    const lease = leaseOf(5);
    ring.add(lease);
    expect(ring.take(4)).toBeNull();
    // The same slot, and another identifier.
    expect(ring.take(5 + 16)).toBeNull();
    expect(ring.take(5)).toBe(lease);
    expect(ring.take(5)).toBeNull();
  });

  it('all find room, however far apart: one that is stuck moves no other away', () => {
    const ring = new LeaseRing();
    const packetIds = [1, 65_535, 32_769, 17, 16_385, ...Array.from({ length: 500 }, (_, at) => 100 + at)];
    for (const packetId of packetIds) ring.add(leaseOf(packetId));
    expect(packetIds.map((packetId) => ring.take(packetId)?.packetId)).toEqual(packetIds);
    expect(packetIds.map((packetId) => ring.take(packetId))).toEqual(packetIds.map(() => null));
  });

  it('are all gone when the connection is', () => {
    const ring = new LeaseRing();
    for (let packetId = 1; packetId <= 100; packetId++) ring.add(leaseOf(packetId));
    ring.clear();
    expect(ring.take(7)).toBeNull();
  });
});
