/**
 * The leases of one client, by packet identifier: a ring of slots, as the window of its session is one that gives the identifiers out
 * (sessions/inflight-window.ts). That passes over an identifier whose slot is taken, so this ring grows no larger than the window. A Map
 * would keep what has been acknowledged alive (core/linked-list.ts has why).
 */
import type { QueueLease } from './queue-lease.js';

const SMALLEST_RING = 16;

export class LeaseRing {
  #slots: (QueueLease | null)[] = emptySlots(SMALLEST_RING);

  /** @param lease under an identifier that no other one has */
  add(lease: QueueLease): void {
    while (this.#slots[this.#slotOf(lease.packetId)] !== null) this.#grow();
    this.#slots[this.#slotOf(lease.packetId)] = lease;
  }

  /** @returns null if there is none under this identifier */
  take(packetId: number): QueueLease | null {
    const slot = this.#slotOf(packetId);
    const lease = this.#slots[slot] as QueueLease | null;
    if (lease === null || lease.packetId !== packetId) return null;
    this.#slots[slot] = null;
    return lease;
  }

  clear(): void {
    this.#slots = emptySlots(SMALLEST_RING);
  }

  #slotOf(packetId: number): number {
    return packetId & (this.#slots.length - 1);
  }

  /** Two that have had slots of their own have them in a larger ring as well. */
  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(2 * before.length);
    for (const lease of before) if (lease !== null) this.#slots[this.#slotOf(lease.packetId)] = lease;
  }
}

function emptySlots(length: number): (QueueLease | null)[] {
  return new Array<QueueLease | null>(length).fill(null);
}
