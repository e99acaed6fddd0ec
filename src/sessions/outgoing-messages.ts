/**
 * Which message one client is sent next, and when: a new one at once if there is room and nothing waits before it, or else
 * through the backlog. It is told what happens and sends through the front that is attached, if one is. What has been sent
 * at QoS 1 or 2 is in OutgoingExchanges until it is acknowledged.
 *
 *   deliver ─▶ room, and nothing waits? ──yes──▶ exchanges ─▶ front
 *                        └──no──▶ backlog ──(acknowledgement, drain, attach)──┘
 */
import type { DropCounters } from '../core/drop-counters.js';
import type { DropReason } from '../core/drop-reason.js';
import type { Message, Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { Publication } from '../core/publication.js';
import type { DeliveryOptions } from '../core/subscriber.js';
import type { LogReader } from '../store/message-log.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import type { Backlog } from './backlog.js';
import { type InflightEntry, type InflightWindow, NOT_LOGGED } from './inflight-window.js';
import { type ExchangeContext, type ExchangeOwner, OutgoingExchanges, SENT_LATER } from './outgoing-exchanges.js';
import type { SessionFront } from './session-front.js';
import type { StreamBacklog } from './stream-backlog.js';

/** The window's ring has 65,536 slots at most, and half of them may be taken. */
export const LARGEST_WINDOW = 32_767;

/** Of a message that comes to one session alone, when it can be sent at once: a retained one. */
export const NO_STREAMS: readonly MessageStream[] = [];

/** What all sessions share of it. */
export interface OutgoingContext extends ExchangeContext {
  /** Of QoS 0 messages, which nobody accounts for otherwise. */
  readonly drops: DropCounters;
  readonly nowMs: () => number;
  readonly dropOldestWhenFull: boolean;
  /** A message is given up because of what waits for all sessions together. */
  readonly onSessionQueuesFull: () => void;
  /** Waiting messages from which the publishers that feed a connected client are held back. */
  readonly softLimit: number;
  /** The same in bytes of content. */
  readonly softLimitBytes: number;
}

/** The session that the messages are for. */
export interface OutgoingOwner extends ExchangeOwner {
  /** A backlog for a session that ends with its connection. */
  openBacklog(): Backlog;
}

export class OutgoingMessages implements LogReader {
  readonly #context: OutgoingContext;
  readonly #owner: OutgoingOwner;
  /** Of a kept session; null for one that ends with its connection. */
  readonly #streams: StreamBacklog | null;
  #backlog: Backlog | null;
  #front: SessionFront | null = null;
  /** Null until a message has been given a packet identifier. */
  #exchanges: OutgoingExchanges | null = null;
  #windowLimit = 0;
  #sendsFrom: Ticket = NO_TICKET;

  constructor(context: OutgoingContext, owner: OutgoingOwner, streams: StreamBacklog | null) {
    this.#context = context;
    this.#owner = owner;
    this.#streams = streams;
    this.#backlog = streams;
  }

  get waitingMessages(): number {
    return this.#backlog?.length ?? 0;
  }

  get waitingBytes(): number {
    return this.#backlog?.bytes ?? 0;
  }

  get inflightMessages(): number {
    return this.#exchanges?.count ?? 0;
  }

  /** Everything that the client has not got, as far as we know. */
  get undelivered(): number {
    return this.waitingMessages + (this.#exchanges?.undelivered ?? 0);
  }

  /** The client is behind by more than publishers should be allowed to add to. */
  get isCongested(): boolean {
    const { softLimit, softLimitBytes } = this.#context;
    return this.waitingMessages > softLimit || this.waitingBytes > softLimitBytes;
  }

  /** What is on its way, as it is stored. */
  inflight(): Iterable<InflightEntry> {
    return this.#exchanges?.entries() ?? [];
  }

  /** Unacknowledged messages that the client may be sent. */
  get windowLimit(): number {
    return this.#windowLimit;
  }

  get isAttached(): boolean {
    return this.#front !== null;
  }

  /** A message would be sent at once. */
  get hasRoom(): boolean {
    return this.#front?.hasRoom === true && this.#windowHasRoom;
  }

  /** Retain As Published counts: the session may be that of an MQTT 5 client, and go on with one that cannot ask for it. */
  get knowsRetainAsPublished(): boolean {
    return this.#front?.knowsRetainAsPublished === true;
  }

  get #windowHasRoom(): boolean {
    return this.#exchanges === null || this.#exchanges.hasRoom(this.#windowLimit);
  }

  /** The client can be sent the message, as far as is known: one that is away may take less or more when it is back. */
  takes(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    return this.#front === null || this.#front.fits(message, qos, identifiers);
  }

  /** Takes over what was on its way before a restart. */
  restoreWindow(window: InflightWindow): void {
    this.#exchanges = new OutgoingExchanges(this.#context, this.#owner, this, window);
  }

  /** After a restart, when the log has been read: forgets what was acknowledged. */
  forgetSettled(): void {
    this.#exchanges?.forgetSettled();
  }

  #ensureExchanges(): OutgoingExchanges {
    this.#exchanges ??= new OutgoingExchanges(this.#context, this.#owner, this);
    return this.#exchanges;
  }

  /**
   * @param receiveMaximum unacknowledged messages that the client may be sent
   * @param sendsFrom ticket before which nothing is sent
   */
  attach(front: SessionFront, receiveMaximum: number, sendsFrom: Ticket): void {
    this.#front = front;
    this.#sendsFrom = sendsFrom;
    this.#windowLimit = Math.min(receiveMaximum, LARGEST_WINDOW);
  }

  /** Sends what was not acknowledged on the last connection, in its order [MQTT-4.4.0-1], then what has waited. */
  resume(): void {
    this.#exchanges?.beginResend();
    this.pump();
  }

  detach(): void {
    this.#front = null;
    this.#exchanges?.onDetached();
    if (this.#streams?.isBehind === false) this.#streams.fallBehind();
  }

  /** Messages that may be sent before one is acknowledged. */
  get windowRoom(): number {
    return this.hasRoom ? this.#windowLimit - (this.#exchanges?.count ?? 0) : 0;
  }

  /** A packet identifier for a QoS 1 message that is not the session's (see {@link InflightWindow}). */
  openLease(): number {
    return this.#ensureExchanges().openLease();
  }

  /** The message has been acknowledged. */
  endLease(packetId: number): void {
    this.#exchanges?.endLease(packetId);
  }

  deliverAtMostOnce(identifiers: readonly number[] | null, publication: Publication, retain: boolean): void {
    const front = this.#front;
    const { drops } = this.#context;
    if (front === null) drops.count('offline-qos0');
    else if (!front.fits(publication.message, 0, identifiers)) drops.count('packet-too-large');
    else {
      publication.receivers++;
      front.sendPublication(publication, 0, 0, retain, identifiers);
    }
  }

  /**
   * @param qos 1 or 2
   * @returns true if the message waits in the backlog now
   */
  deliver(options: DeliveryOptions, publication: Publication, qos: Qos, retain: boolean): boolean {
    const { accounts } = this.#context;
    accounts.accepted++;
    const { identifiers, streams } = options;
    const front = this.#front;
    if (front === null || this.waitingMessages > 0 || this.#streams?.isBehind === true || !this.hasRoom) {
      return this.#enqueue(publication, qos, retain, identifiers, streams ?? NO_STREAMS);
    }
    if (!front.fits(publication.message, qos, identifiers)) {
      accounts.drop('packet-too-large');
      return false;
    }
    let sequence = NOT_LOGGED;
    if (this.#streams !== null) {
      const { recorder } = this.#context;
      recorder.hold();
      this.#streams.onSentAtOnce(qos, streams ?? NO_STREAMS);
      sequence = recorder.sequence;
    }
    const packetId = this.#ensureExchanges().begin(front, qos, retain, identifiers, sequence);
    if (packetId !== SENT_LATER) front.sendPublication(publication, qos, packetId, retain, identifiers);
    return false;
  }

  /** @returns false if there is no room for it */
  #enqueue(
    publication: Publication,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[] | null,
    streams: readonly MessageStream[],
  ): boolean {
    this.#backlog ??= this.#owner.openBacklog();
    const backlog = this.#backlog;
    const { accounts, dropOldestWhenFull, onSessionQueuesFull } = this.#context;
    // What cannot fit into an empty backlog must not empty it.
    const canFit = publication.message.byteLength <= backlog.maximumBytes;
    while (!backlog.offer(publication, qos, retain, identifiers, streams)) {
      const { refusal } = backlog;
      accounts.drop(refusal);
      if (refusal === 'session-queues-full') onSessionQueuesFull();
      const mayDropOldest = dropOldestWhenFull && refusal === 'queue-full';
      if (!mayDropOldest) this.#streams?.close();
      else if (!canFit) this.#streams?.skip();
      if (!mayDropOldest || !canFit || !backlog.dropOldest()) return false;
    }
    if (this.isCongested) this.#front?.onCongested(publication);
    return true;
  }

  /** Sends what is due: what waited for the disk, what is to be sent again, then the backlog, while there is room. */
  pump(): void {
    const front = this.#front;
    if (front === null) return;
    if (this.#sendsFrom > this.#context.settledTicket()) {
      front.onAwaitingCommit();
      return;
    }
    if (this.#exchanges?.advance(front, this.#windowLimit) === false) return;
    const backlog = this.#backlog;
    if (backlog === null) return;
    while (this.#windowHasRoom && front.hasRoom) {
      const outcome = backlog.take();
      if (outcome === 'loading') return;
      if (outcome === 'empty') {
        this.#onBacklogEmpty();
        return;
      }
      this.#sendTaken(front, backlog);
    }
  }

  #onBacklogEmpty(): void {
    const streams = this.#streams;
    if (streams === null || !streams.isBehind) return;
    const { accounts } = this.#context;
    const { unwanted, forbidden } = streams;
    if (forbidden > 0) accounts.drop('not-authorized', forbidden);
    if (unwanted > 0) accounts.drop('unsubscribed', unwanted);
    // What was counted and is not there has been lost with a damaged block.
    const lost = streams.length - forbidden - unwanted;
    if (lost > 0) accounts.drop('storage-damaged', lost);
    streams.catchUp();
  }

  #sendTaken(front: SessionFront, backlog: Backlog): void {
    const { accounts, log } = this.#context;
    const { message, qos, retain, identifiers, sequence, isUncounted } = backlog.taken;
    backlog.taken.message = null;
    if (isUncounted) accounts.accepted++;
    const obstacle = this.#obstacleTo(front, message, qos, identifiers);
    if (message === null || obstacle !== null || qos === 0) {
      if (message === null || obstacle !== null) accounts.drop(obstacle ?? 'storage-damaged');
      else {
        accounts.delivered++;
        front.sendMessage(message, 0, 0, retain, identifiers);
      }
      if (sequence !== NOT_LOGGED) log.release(sequence);
      return;
    }
    this.#ensureExchanges().send(front, message, qos, retain, identifiers, sequence);
  }

  /** @returns why the message cannot be sent to this client, or null */
  #obstacleTo(
    front: SessionFront,
    message: Message | null,
    qos: Qos,
    identifiers: readonly number[] | null,
  ): DropReason | null {
    if (message === null) return 'storage-damaged';
    // [MQTT-3.3.2-5]
    if (message.expiresAtMs !== 0 && message.isExpired(this.#context.nowMs())) return 'expired';
    // Streams have been asked already, for each message that they give.
    if (this.#streams === null && !this.#owner.mayBeSent(message.topic)) return 'not-authorized';
    return front.fits(message, qos, identifiers) ? null : 'packet-too-large';
  }

  /** The journal has settled more. */
  onSettled(): void {
    this.pump();
  }

  /** The session waits for the journal before it can send on. */
  get isAwaitingCommit(): boolean {
    if (this.#sendsFrom > this.#context.settledTicket()) return true;
    return this.#exchanges?.isAwaitingCommit === true;
  }

  /** What had to be read is there. */
  onLoaded(): void {
    this.pump();
    this.#front?.onLoaded();
  }

  /** One of our messages with this identifier is on its way, in whatever state. */
  isInflight(packetId: number): boolean {
    return this.#exchanges?.has(packetId) ?? false;
  }

  /** PUBACK from the client. @returns false if it acknowledges nothing */
  onPuback(packetId: number, isRefusal: boolean): boolean {
    return this.#exchanges?.onPuback(packetId, isRefusal) ?? false;
  }

  /** PUBREC with success. @returns the ticket that PUBREL waits for, or -1 if the identifier is unknown */
  onPubrec(packetId: number): Ticket | -1 {
    return this.#exchanges?.onPubrec(packetId) ?? -1;
  }

  /** PUBREC with a failure [MQTT-4.4.0-2]. */
  onPubrecRefusal(packetId: number): boolean {
    return this.#exchanges?.onPubrecRefusal(packetId) ?? false;
  }

  onPubcomp(packetId: number): boolean {
    return this.#exchanges?.onPubcomp(packetId) ?? false;
  }

  /** The session is over: what still waits goes nowhere, and is counted. */
  end(): void {
    if (this.undelivered > 0) this.#context.accounts.drop('session-ended', this.undelivered);
    this.#exchanges?.end();
    this.#backlog?.clear();
    this.#exchanges = null;
    this.#front = null;
  }
}
