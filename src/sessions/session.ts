/**
 * What the broker remembers of one client id: it outlives the connection for as long as its expiry says (section 4.1).
 * A state machine: it is told what happens and sends through the front that is attached, if one is. Packet identifiers
 * of the two directions are two spaces: the window hands out ours, `#receivedIds` remembers the client's.
 *
 *   deliver ─▶ window has room? ──yes──▶ front        else ─▶ queue ──(acknowledgement, drain, attach)──▶ window
 */
import type { DropCounters } from '../core/drop-counters.js';
import type { Qos } from '../core/message.js';
import type { Publication } from '../core/publication.js';
import { type DeliveryOptions, Readiness, type Subscriber } from '../core/subscriber.js';
import type { Journal } from '../store/journal.js';
import type { MessageQueue, QueuedMessage } from '../store/message-queue.js';
import type { Ticket } from '../store/ticket.js';
import type { Subscription } from '../topics/subscription.js';
import { InflightWindow } from './inflight-window.js';
import type { SessionFront } from './session-front.js';
import type { Will } from './will.js';

/** `SessionExpiryInterval` of a session that never ends (section 3.1.2.11.2). */
export const NEVER_EXPIRES = 0xffffffff;

/** The window's ring has 65,536 slots at most, and half of them may be taken. */
export const LARGEST_WINDOW = 32_767;

/** What all sessions share. */
export interface SessionContext {
  readonly journal: Journal;
  readonly drops: DropCounters;
  readonly nowMs: () => number;
  readonly openQueue: (clientId: string) => MessageQueue;
  /** Bytes of content on the way to one client at which the next message waits. */
  readonly inflightMaximumBytes: number;
  readonly dropOldestWhenFull: boolean;
  /** Waiting messages from which the publishers that feed a connected client are held back. */
  readonly queueSoftLimit: number;
  /** The same in bytes of content. */
  readonly queueSoftLimitBytes: number;
}

export class Session implements Subscriber {
  readonly clientId: string;
  /** By filter as given, shared ones included. */
  readonly subscriptions = new Map<string, Subscription<Subscriber>>();
  /** Memory that they take, by estimate; kept up by who changes them. */
  subscriptionBytes = 0;
  /** Seconds that it outlives its connection; {@link NEVER_EXPIRES} for ever. */
  expirySeconds = 0;
  will: Will | null = null;
  readonly #context: SessionContext;
  #front: SessionFront | null = null;
  #epoch = 0;
  #windowLimit = 0;
  #window: InflightWindow | null = null;
  #queue: MessageQueue | null = null;
  #receivedIds: Set<number> | null = null;

  constructor(clientId: string, context: SessionContext) {
    this.clientId = clientId;
    this.#context = context;
  }

  get isConnected(): boolean {
    return this.#front !== null;
  }

  /** It outlives its connection, so what it holds is journalled. */
  get isPersistent(): boolean {
    return this.expirySeconds > 0;
  }

  get queuedMessages(): number {
    return this.#queue?.length ?? 0;
  }

  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  get inflightMessages(): number {
    return this.#window?.count ?? 0;
  }

  /** QoS 2 messages received from the client and not yet released by it. */
  get receivedIds(): number {
    return this.#receivedIds?.size ?? 0;
  }

  /** Whether the client is behind by more than publishers should be allowed to add to. */
  get isCongested(): boolean {
    const queue = this.#queue;
    if (queue === null) return false;
    return queue.length > this.#context.queueSoftLimit || queue.bytes > this.#context.queueSoftLimitBytes;
  }

  /** Nothing waits, and the connection and its window have room. */
  get canTakeMore(): boolean {
    return this.readiness === Readiness.Ready && this.queuedMessages === 0;
  }

  get readiness(): Readiness {
    if (this.#front === null) return this.isPersistent ? Readiness.Away : Readiness.Gone;
    return this.#front.hasRoom && this.#windowHasRoom ? Readiness.Ready : Readiness.Full;
  }

  get #windowHasRoom(): boolean {
    const window = this.#window;
    if (window === null) return true;
    if (window.isResending) return false;
    return window.count < this.#windowLimit && window.bytes < this.#context.inflightMaximumBytes;
  }

  /**
   * Binds a connection. Call {@link resume} once the client has got its CONNACK.
   * @param receiveMaximum unacknowledged messages that it may be sent
   * @returns the epoch to detach with: a later attach makes it stale
   */
  attach(front: SessionFront, receiveMaximum: number): number {
    this.#front = front;
    this.#windowLimit = Math.min(receiveMaximum, LARGEST_WINDOW);
    return ++this.#epoch;
  }

  /** Sends what was not acknowledged on the last connection, in its order [MQTT-4.4.0-1], then what was queued. */
  resume(): void {
    if (this.#front === null) return;
    this.#window?.beginResend();
    this.pump();
  }

  /** Unbinds the connection. @returns false for a stale epoch: another connection has the session now */
  detach(epoch: number): boolean {
    if (epoch !== this.#epoch || this.#front === null) return false;
    this.#front = null;
    this.#window?.compact();
    return true;
  }

  deliver(options: DeliveryOptions, publication: Publication): void {
    const { message } = publication;
    const qos = Math.min(message.qos, options.qos) as Qos;
    // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const retain = options.retainAsPublished && message.retain;
    if (qos === 0) this.#deliverAtMostOnce(publication, retain, options.identifiers);
    else this.#deliverAcknowledged(publication, qos, retain, options.identifiers);
  }

  #deliverAtMostOnce(publication: Publication, retain: boolean, identifiers: readonly number[] | null): void {
    const front = this.#front;
    if (front === null) {
      this.#context.drops.count('offline-qos0');
      return;
    }
    if (!front.fits(publication.message, 0, identifiers)) {
      this.#context.drops.count('packet-too-large');
      return;
    }
    publication.receivers++;
    front.sendPublication(publication, 0, 0, retain, identifiers);
  }

  #deliverAcknowledged(
    publication: Publication,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    const front = this.#front;
    if (front === null && !this.isPersistent) return;
    publication.receivers++;
    if (this.isPersistent) {
      const ticket = this.#context.journal.messageQueued(this.clientId, publication.keep(), qos);
      if (ticket > publication.ticket) publication.ticket = ticket;
    }
    const isWaiting = (this.#queue !== null && this.#queue.length > 0) || this.#window?.isResending === true;
    if (front === null || isWaiting || !front.hasRoom || !this.#windowHasRoom) {
      this.#enqueue(publication, qos, retain, identifiers);
      return;
    }
    if (!front.fits(publication.message, qos, identifiers)) {
      this.#context.drops.count('packet-too-large');
      return;
    }
    this.#window ??= new InflightWindow();
    const packetId = this.#window.add(publication.keep(), qos, retain, identifiers);
    front.sendPublication(publication, qos, packetId, retain, identifiers);
  }

  #enqueue(publication: Publication, qos: Qos, retain: boolean, identifiers: readonly number[] | null): void {
    this.#queue ??= this.#context.openQueue(this.clientId);
    const queue = this.#queue;
    const message = publication.keep();
    if (this.#front === null) message.compact();
    const entry: QueuedMessage = { message, qos, retain, identifiers };
    while (!queue.offer(entry)) {
      this.#context.drops.count('queue-full');
      // What cannot fit into an empty queue must not empty it.
      if (!this.#context.dropOldestWhenFull || message.byteLength > queue.maximumBytes) return;
      if (queue.take() === undefined) return;
    }
    if (this.#front !== null && this.isCongested) this.#front.onCongested(publication);
  }

  /** Resends what is left to be resent, then moves waiting messages into the window, while there is room. */
  pump(): void {
    if (this.#window?.isResending === true && !this.#resend(this.#window)) return;
    const queue = this.#queue;
    const front = this.#front;
    if (front === null || queue === null || queue.length === 0) return;
    const { drops } = this.#context;
    const nowMs = this.#context.nowMs();
    this.#window ??= new InflightWindow();
    const window = this.#window;
    while (this.#windowHasRoom && front.hasRoom) {
      const entry = queue.take();
      if (entry === undefined) break;
      const { message, qos, retain, identifiers } = entry;
      // [MQTT-3.3.2-5]
      if (message.isExpired(nowMs)) drops.count('expired');
      else if (!front.fits(message, qos, identifiers)) drops.count('packet-too-large');
      else front.sendMessage(message, qos, window.add(message, qos, retain, identifiers), retain, identifiers);
    }
  }

  /** Sends again what the client's Receive Maximum and the buffer allow. @returns true once nothing is left */
  #resend(window: InflightWindow): boolean {
    const front = this.#front;
    // [MQTT-3.3.4-9] it may be smaller than it was on the last connection
    while (front !== null && window.isResending && window.sentCount < this.#windowLimit && front.hasRoom) {
      if (!window.resendNext(front)) this.#context.drops.count('packet-too-large');
    }
    return !window.isResending;
  }

  /** One of our messages with this identifier is on its way, in whatever state. */
  isInflight(packetId: number): boolean {
    return this.#window?.has(packetId) ?? false;
  }

  /** PUBACK from the client. @returns false if it acknowledges nothing */
  onPuback(packetId: number, isRefusal: boolean): boolean {
    if (this.#window === null || !this.#window.acknowledge(packetId)) return false;
    if (isRefusal) this.#context.drops.count('refused-by-client');
    return true;
  }

  /** PUBREC with success. @returns false if the identifier is unknown: PUBREL then says so */
  onPubrec(packetId: number): boolean {
    return this.#window?.receive(packetId) ?? false;
  }

  /** PUBREC with a failure [MQTT-4.4.0-2]. */
  onPubrecRefusal(packetId: number): boolean {
    if (this.#window === null || !this.#window.refuse(packetId)) return false;
    this.#context.drops.count('refused-by-client');
    return true;
  }

  onPubcomp(packetId: number): boolean {
    return this.#window?.complete(packetId) ?? false;
  }

  /** Whether a QoS 2 message with this identifier has been received and not been released [MQTT-4.3.3-10]. */
  hasReceived(packetId: number): boolean {
    return this.#receivedIds?.has(packetId) ?? false;
  }

  /** Remembers a QoS 2 message of the client until it is released. */
  noteReceived(packetId: number): Ticket {
    this.#receivedIds ??= new Set();
    this.#receivedIds.add(packetId);
    return this.isPersistent ? this.#context.journal.inboundIdSaved(this.clientId, packetId) : 0;
  }

  /** PUBREL. @returns the ticket to wait for, or -1 if the identifier is not known */
  release(packetId: number): Ticket | -1 {
    if (this.#receivedIds === null || !this.#receivedIds.delete(packetId)) return -1;
    return this.isPersistent ? this.#context.journal.inboundIdReleased(this.clientId, packetId) : 0;
  }

  /** The session is over: what still waits in it goes nowhere, and is counted. */
  end(): void {
    const waiting = (this.#queue?.clear() ?? 0) + this.inflightMessages;
    if (waiting > 0) this.#context.drops.count('session-ended', waiting);
    this.#queue = null;
    this.#window = null;
    this.#receivedIds = null;
    this.#front = null;
    this.#epoch++;
  }
}
