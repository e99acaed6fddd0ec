/**
 * A message of a work queue that is with a client, from its PUBLISH to the PUBACK: it holds a packet identifier for so long. The content is
 * on its way already and stays with the queue alone, or each message that a worker is slow with would hold the block of the log that it
 * stands in, and be copied by collections until it is promoted.
 */
import type { Linked } from '../core/linked-list.js';
import type { WorkDelivery, WorkReceipt } from '../core/work-source.js';

/** It is the client's; it has been given to others since, or may be; or the client has said on the control topic what became of it. */
export type LeaseState = 'held' | 'lost' | 'settled';

/** The subscription that it came by. */
export interface LeaseOwner {
  /** PUBACK has come. @param reasonCode says what became of the message */
  onAcknowledged(lease: QueueLease, reasonCode: number): void;
}

export class QueueLease implements WorkReceipt, Linked<QueueLease> {
  before: QueueLease | null = null;
  behind: QueueLease | null = null;
  readonly queueNumber: number;
  readonly sequence: number;
  readonly generation: number;
  /** Of the message. */
  readonly id: string;
  readonly owner: LeaseOwner;
  readonly packetId: number;
  state: LeaseState = 'held';
  /** The client has asked to have it until then at least; 0 if it has not. */
  extendedUntilMs = 0;

  constructor(delivery: WorkDelivery, owner: LeaseOwner, packetId: number) {
    this.queueNumber = delivery.queueNumber;
    this.sequence = delivery.sequence;
    this.generation = delivery.generation;
    this.id = delivery.id;
    this.owner = owner;
    this.packetId = packetId;
  }
}
