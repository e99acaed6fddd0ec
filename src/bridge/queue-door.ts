/**
 * Lets consumers into the work queues: what the broker hands out to those who subscribe to one. A consumer outlives its queue: should that
 * be deleted and made again, it goes on with the new one.
 */
import type { WorkConsumer, WorkReceipt, WorkReceiver, WorkSource } from '../core/work-source.js';
import type { Consumer } from '../queues/consumer.js';
import type { Delivery } from '../queues/delivery.js';
import type { ReceiptOutcome } from '../queues/in-flight-messages.js';
import type { Queue } from '../queues/queue.js';
import { DEFAULT_QUEUE_OPTIONS } from '../queues/queue-options.js';
import type { QueueRegistry } from '../queues/queue-registry.js';
import type { Receive, Receiver } from '../queues/receive.js';

export class QueueDoor implements WorkSource {
  readonly #queues: QueueRegistry;
  /** By name of the queue. */
  readonly #consumers = new Map<string, Set<DoorConsumer>>();

  constructor(queues: QueueRegistry) {
    this.#queues = queues;
    queues.onQueueListed = (queue) => {
      for (const consumer of this.#consumers.get(queue.name) ?? []) consumer.join(queue);
    };
    queues.onQueueGone = ({ name }) => {
      for (const consumer of this.#consumers.get(name) ?? []) consumer.leave();
    };
  }

  has(queue: string): boolean {
    return this.#queues.find(queue) !== undefined;
  }

  open(name: string, consumerName: string, receiver: WorkReceiver): WorkConsumer {
    const consumer: DoorConsumer = new DoorConsumer(consumerName, receiver, () => this.#forget(name, consumer));
    const others = this.#consumers.get(name);
    if (others === undefined) this.#consumers.set(name, new Set([consumer]));
    else others.add(consumer);
    const queue = this.#queues.find(name);
    if (queue !== undefined) consumer.join(queue);
    return consumer;
  }

  /** Everybody out: what they have goes back, uncounted. */
  close(): void {
    for (const consumers of [...this.#consumers.values()]) for (const consumer of [...consumers]) consumer.close(false);
  }

  #forget(queue: string, consumer: DoorConsumer): void {
    const others = this.#consumers.get(queue);
    if (others?.delete(consumer) === true && others.size === 0) this.#consumers.delete(queue);
  }
}

/** What the queue and the one who takes from it know each other by. */
interface Seat {
  readonly queue: Queue;
  readonly consumer: Consumer;
}

class DoorConsumer implements WorkConsumer, Receiver {
  readonly #name: string;
  readonly #receiver: WorkReceiver;
  readonly #onClosed: () => void;
  #seat: Seat | null = null;
  #receive: Receive | null = null;
  /** Asked for, while there is no queue. */
  #wanted = 0;

  constructor(name: string, receiver: WorkReceiver, onClosed: () => void) {
    this.#name = name;
    this.#receiver = receiver;
    this.#onClosed = onClosed;
  }

  join(queue: Queue): void {
    this.#seat = { queue, consumer: queue.openConsumer(this.#name) };
    const wanted = this.#wanted;
    this.#wanted = 0;
    if (wanted > 0) this.request(wanted);
  }

  /** The queue is gone, and with it what was received from it. */
  leave(): void {
    if (this.#receive !== null) this.#wanted = this.#receive.options.max;
    this.#receive = null;
    this.#seat = null;
  }

  get prefetch(): number {
    return (this.#seat?.queue.options ?? DEFAULT_QUEUE_OPTIONS).prefetch;
  }

  get acknowledgementTimeoutMs(): number | null {
    return this.#seat?.queue.options.acknowledgementTimeoutMs ?? null;
  }

  get lastTicket(): number {
    return this.#seat?.queue.lastTicket ?? 0;
  }

  request(max: number): void {
    if (this.#receive !== null || this.#wanted > 0) return;
    const seat = this.#seat;
    if (seat === null) {
      this.#wanted = max;
      return;
    }
    const { queue, consumer } = seat;
    const isStrict = queue.options.type === 'fifo' && queue.options.ordering === 'strict';
    const options = { max, waitMs: Number.POSITIVE_INFINITY, visibilityTimeoutMs: null, consumer };
    // A second one would be with the consumer already when it refuses the first.
    const receive = queue.receive(isStrict ? { ...options, maxPerGroup: 1 } : options, this);
    // It may have been answered already.
    if (receive.state === 'waiting' || receive.state === 'committing') this.#receive = receive;
  }

  cancelRequest(): void {
    this.#wanted = 0;
    const receive = this.#receive;
    this.#receive = null;
    receive?.cancel();
  }

  onReceived(deliveries: readonly Delivery[]): void {
    this.#receive = null;
    // Nothing comes when the queue is going.
    if (deliveries.length > 0) this.#receiver.onWork(deliveries);
  }

  acknowledge(receipt: WorkReceipt): boolean {
    return isDone(this.#seat?.queue.acknowledgeDelivery(receipt));
  }

  refuse(receipt: WorkReceipt, isCounted: boolean, delayMs?: number): boolean {
    return isDone(
      this.#seat?.queue.refuseDelivery(receipt, delayMs === undefined ? { isCounted } : { isCounted, delayMs }),
    );
  }

  reject(receipt: WorkReceipt): boolean {
    return isDone(this.#seat?.queue.rejectDelivery(receipt));
  }

  close(isAbnormal: boolean): void {
    this.cancelRequest();
    const seat = this.#seat;
    this.#seat = null;
    this.#onClosed();
    seat?.queue.closeConsumer(seat.consumer, isAbnormal);
  }
}

function isDone(outcome: ReceiptOutcome | undefined): boolean {
  return outcome === 'done';
}
