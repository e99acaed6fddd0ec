/**
 * One subscription to a work queue: takes from it as much as the client may have at one time, has it sent, and tells the queue what the
 * client says of each message.
 *
 *   request ─▶ onWork ─▶ arrived ──(a packet identifier, and room)──▶ leases ──PUBACK──▶ acknowledge, refuse, reject
 *
 * The lease is the connection: what the client has when that ends goes back at once.
 */
import { LinkedList } from '../core/linked-list.js';
import { ReasonCode } from '../core/reason-code.js';
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';
import type { WorkConsumer, WorkDelivery, WorkReceiver, WorkSource } from '../core/work-source.js';
import { type DeliveryForm, type QueueFilter, topicOfQueue } from '../topics/queue-topic.js';
import type { LeaseOwner, QueueLease } from './queue-lease.js';
import type { WorkCommand } from './work-command.js';

/** How long a client is left alone that has no room for more. */
const PAUSE_MS = 1000;
/** And one that was given so many in a row that it can never take: with a queue that tries again at once there would be no end to it. */
const TOO_LARGE_PAUSE_MS = 100;
const TOO_LARGE_IN_A_ROW = 16;

export interface QueueSubscriptionTerms {
  /** At QoS 0 a message counts as done when it has been sent. */
  readonly qos: 0 | 1;
  /** Subscription Identifiers to send along, or null for none. */
  readonly identifiers: readonly number[] | null;
  /** Messages that the client wants at most at one time; 0 for what the queue thinks fit. */
  readonly prefetch: number;
}

/** Sends to the client. */
export interface WorkSender {
  /** Messages that the client could be sent at present. */
  roomFor(subscription: QueueSubscription): number;
  /** @returns null if there is no room for it, 'too-large' if there never is */
  sendWork(subscription: QueueSubscription, delivery: WorkDelivery): QueueLease | 'sent' | 'too-large' | null;
}

export class QueueSubscription implements WorkReceiver, LeaseOwner {
  readonly queue: string;
  readonly form: DeliveryForm;
  /** What stands in front of the topics of messages, null for nothing. */
  readonly topicPrefix: Buffer | null;
  readonly #sender: WorkSender;
  readonly #wheel: TimingWheel;
  readonly #consumer: WorkConsumer;
  readonly #leases = new LinkedList<QueueLease>();
  readonly #acknowledgementTimer = new CallbackTimer(() => this.#onAcknowledgementDue());
  readonly #pauseTimer = new CallbackTimer(() => this.pump());
  #terms: QueueSubscriptionTerms;
  #arrived: WorkDelivery[] = [];
  #isPumping = false;
  #hasMore = false;
  #pausedUntilMs = 0;
  #tooLargeInARow = 0;
  /** The first lease that is held, and since when it has been that; kept only for queues with a timeout. */
  #oldest: QueueLease | null = null;
  #oldestSinceMs = 0;
  /** The client has unsubscribed: it may still say what became of what it has. */
  #isEnding = false;

  constructor(
    source: WorkSource,
    target: QueueFilter,
    terms: QueueSubscriptionTerms,
    clientId: string,
    sender: WorkSender,
    wheel: TimingWheel,
  ) {
    this.queue = target.queue;
    this.form = target.form;
    this.topicPrefix = target.form === 'prefixed' ? Buffer.from(`${topicOfQueue(target.queue)}/`) : null;
    this.#terms = terms;
    this.#sender = sender;
    this.#wheel = wheel;
    this.#consumer = source.open(target.queue, clientId, this);
  }

  get terms(): QueueSubscriptionTerms {
    return this.#terms;
  }

  /** It was made again, with other terms. */
  setTerms(terms: QueueSubscriptionTerms): void {
    this.#consumer.cancelRequest();
    this.#terms = terms;
  }

  /** What the client has said so far is on disk when this ticket is settled. */
  get lastTicket(): number {
    return this.#consumer.lastTicket;
  }

  /** Nothing is left of it. */
  get isOver(): boolean {
    return this.#isEnding && this.#leases.size === 0;
  }

  /** Sends what has come, and asks for more, as far as the client has room. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    do {
      this.#hasMore = false;
      this.#sendArrived();
      this.#ask();
    } while (this.#hasMore);
    this.#isPumping = false;
  }

  onWork(deliveries: readonly WorkDelivery[]): void {
    for (const delivery of deliveries) this.#arrived.push(delivery);
    this.#hasMore = true;
    this.pump();
  }

  onAcknowledged(lease: QueueLease, reasonCode: number): void {
    this.#leases.delete(lease);
    if (lease.state === 'held') this.#settle(lease, reasonCode);
    // Late, but the work is done.
    else if (lease.state === 'lost' && reasonCode < 0x80) this.#consumer.acknowledge(lease);
    this.#watchOldest();
    if (this.isOver) this.close(false);
  }

  /** The message with this id that the client has; undefined if it has none. */
  findLease(id: string): QueueLease | undefined {
    for (const lease of this.#leases) if (lease.id === id) return lease;
    return undefined;
  }

  /** @returns false if the message is not the client's any more */
  command(lease: QueueLease, { action, delayMs }: WorkCommand): boolean {
    if (lease.state !== 'held') return lease.state === 'settled' && action !== 'extend';
    if (action === 'extend') {
      lease.extendedUntilMs = this.#wheel.nowMs + (delayMs ?? this.#consumer.acknowledgementTimeoutMs ?? 0);
      this.#watchOldest();
      return true;
    }
    lease.state = 'settled';
    this.#watchOldest();
    if (action === 'ack') return this.#consumer.acknowledge(lease);
    if (action === 'reject') return this.#consumer.reject(lease);
    return this.#consumer.refuse(lease, true, delayMs);
  }

  /** The client takes no more, and keeps what it has until it has said what became of it. */
  end(): void {
    this.#isEnding = true;
    this.#consumer.cancelRequest();
    this.#returnArrived();
    if (this.isOver) this.close(false);
  }

  /** The connection is gone. @param isAbnormal what the client had was given to it in vain, and that counts */
  close(isAbnormal: boolean): void {
    this.#isEnding = true;
    this.#wheel.cancel(this.#acknowledgementTimer);
    this.#wheel.cancel(this.#pauseTimer);
    this.#consumer.cancelRequest();
    this.#returnArrived();
    this.#leases.clear();
    this.#consumer.close(isAbnormal);
  }

  #sendArrived(): void {
    const arrived = this.#arrived;
    let sent = 0;
    while (sent < arrived.length) {
      const delivery = arrived[sent] as WorkDelivery;
      const outcome = this.#sender.sendWork(this, delivery);
      if (outcome === null) break;
      sent++;
      if (outcome === 'sent') this.#consumer.acknowledge(delivery);
      // Another consumer may take it; and if none does, it will have been received often enough one day.
      else if (outcome === 'too-large') {
        this.#tooLargeInARow++;
        this.#consumer.refuse(delivery, true);
      } else {
        this.#tooLargeInARow = 0;
        this.#leases.add(outcome);
      }
    }
    if (this.#tooLargeInARow >= TOO_LARGE_IN_A_ROW) {
      this.#tooLargeInARow = 0;
      this.#pause(TOO_LARGE_PAUSE_MS);
    }
    if (sent === 0) return;
    this.#arrived = sent === arrived.length ? [] : arrived.slice(sent);
    this.#watchOldest();
  }

  #ask(): void {
    if (this.#isEnding || this.#arrived.length > 0) return;
    if (this.#pausedUntilMs > this.#wheel.nowMs) return;
    const { prefetch } = this.#terms;
    const most = prefetch === 0 ? this.#consumer.prefetch : Math.min(prefetch, this.#consumer.prefetch);
    const room = Math.min(most - this.#leases.size, this.#sender.roomFor(this));
    if (room > 0) this.#consumer.request(room);
  }

  #returnArrived(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const delivery of arrived) this.#consumer.refuse(delivery, false, 0);
  }

  #settle(lease: QueueLease, reasonCode: number): void {
    switch (reasonCode) {
      case ReasonCode.Success:
      case ReasonCode.NoMatchingSubscribers:
        this.#consumer.acknowledge(lease);
        break;
      case ReasonCode.TopicNameInvalid:
      case ReasonCode.PayloadFormatInvalid:
        this.#consumer.reject(lease);
        break;
      case ReasonCode.QuotaExceeded:
        this.#pause(PAUSE_MS);
        this.#consumer.refuse(lease, false, 0);
        break;
      default:
        this.#consumer.refuse(lease, true);
    }
  }

  #pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#wheel.nowMs + forMs);
    this.#consumer.cancelRequest();
    this.#wheel.arm(this.#pauseTimer, this.#pausedUntilMs);
  }

  // ---------------------------------------------------------------- the acknowledgement timeout

  #watchOldest(): void {
    const timeoutMs = this.#consumer.acknowledgementTimeoutMs;
    if (timeoutMs === null) {
      this.#oldest = null;
      return;
    }
    const oldest = this.#firstHeld();
    if (oldest !== this.#oldest) {
      this.#oldest = oldest;
      this.#oldestSinceMs = this.#wheel.nowMs;
    }
    if (oldest === null) this.#wheel.cancel(this.#acknowledgementTimer);
    else {
      const dueAtMs = Math.max(this.#oldestSinceMs + timeoutMs, oldest.extendedUntilMs);
      if (this.#acknowledgementTimer.slot === -1 || this.#acknowledgementTimer.dueAtMs !== dueAtMs) {
        this.#wheel.arm(this.#acknowledgementTimer, dueAtMs);
      }
    }
  }

  #firstHeld(): QueueLease | null {
    let lease = this.#leases.first;
    while (lease !== null && lease.state !== 'held') lease = lease.behind;
    return lease;
  }

  /** Others get the message. Its place stays taken until the client answers: it is still at work on it. */
  #onAcknowledgementDue(): void {
    const lease = this.#oldest;
    if (lease === null) return;
    lease.state = 'lost';
    this.#consumer.refuse(lease, true, 0);
    this.#watchOldest();
  }
}
