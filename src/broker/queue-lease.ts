/** A message of a work queue that is with a client, from its PUBLISH to the PUBACK: it holds a packet identifier for so long. */
import type { WorkDelivery } from '../core/work-source.js';

/** It is the client's; it has been given to others since, or may be; or the client has said on the control topic what became of it. */
export type LeaseState = 'held' | 'lost' | 'settled';

/** The subscription that it came by. */
export interface LeaseOwner {
  /** PUBACK has come. @param reasonCode says what became of the message */
  onAcknowledged(lease: QueueLease, reasonCode: number): void;
}

export class QueueLease {
  readonly delivery: WorkDelivery;
  readonly owner: LeaseOwner;
  readonly packetId: number;
  state: LeaseState = 'held';
  /** The client has asked to have it until then at least; 0 if it has not. */
  extendedUntilMs = 0;

  constructor(delivery: WorkDelivery, owner: LeaseOwner, packetId: number) {
    this.delivery = delivery;
    this.owner = owner;
    this.packetId = packetId;
  }
}
