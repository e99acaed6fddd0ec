/**
 * The QoS 1 and 2 messages for one client, from the router to the acknowledgement. A state machine: it is told what
 * happens and sends through the front that is attached, if one is.
 *
 *   deliver ─▶ window has room? ──yes──▶ front        else ─▶ backlog ──(acknowledgement, drain, attach)──▶ window
 *
 * What a kept session sends at QoS 2 waits until its packet identifier is stored: or else a client that has the message
 * under one identifier could be sent it under another one after a crash. What comes behind it waits too.
 */
import type { DeliveryAccounts } from '../core/delivery-accounts.js';
import type { DropCounters } from '../core/drop-counters.js';
import type { DropReason } from '../core/drop-reason.js';
import type { Message, Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { Publication } from '../core/publication.js';
import type { DeliveryOptions } from '../core/subscriber.js';
import type { LogReader, MessageLog } from '../store/message-log.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import type { Backlog } from './backlog.js';
import { InflightWindow, NOT_INFLIGHT, NOT_LOGGED } from './inflight-window.js';
import type { MessageRecorder } from './message-recorder.js';
import type { SessionFront } from './session-front.js';
import type { StreamBacklog } from './stream-backlog.js';

/** The window's ring has 65,536 slots at most, and half of them may be taken. */
export const LARGEST_WINDOW = 32_767;

/** Of a message that comes to one session alone, when it can be sent at once: a retained one. */
export const NO_STREAMS: readonly MessageStream[] = [];

/** What all sessions share of it. */
export interface OutgoingContext {
  readonly log: MessageLog;
  readonly recorder: MessageRecorder;
  readonly accounts: DeliveryAccounts;
  /** Of QoS 0 messages, which nobody accounts for otherwise. */
  readonly drops: DropCounters;
  readonly nowMs: () => number;
  readonly settledTicket: () => Ticket;
  readonly dropOldestWhenFull: boolean;
  /** A message is given up because of what waits for all sessions together. */
  readonly onSessionQueuesFull: () => void;
  /** Waiting messages from which the publishers that feed a connected client are held back. */
  readonly softLimit: number;
  /** The same in bytes of content. */
  readonly softLimitBytes: number;
}

/** The session that the messages are for. */
export interface OutgoingOwner {
  /** What is on its way has changed. @returns the ticket of the commit that will hold it */
  onOutgoingChanged(isUrgent: boolean): Ticket;
  /** A backlog for a session that ends with its connection. */
  openBacklog(): Backlog;
  /** Whether the client may be sent messages of this topic, whatever it has subscribed to. */
  mayBeSent(topic: string): boolean;
}

export class OutgoingMessages implements LogReader {
  /** Messages up to this number may have been sent before a crash: they go out with DUP. */
  repeatsThrough = 0;
  readonly #context: OutgoingContext;
  readonly #owner: OutgoingOwner;
  /** Of a kept session; null for one that ends with its connection. */
  readonly #streams: StreamBacklog | null;
  #backlog: Backlog | null;
  #front: SessionFront | null = null;
  #window: InflightWindow | null = null;
  #windowLimit = 0;
  #sendsFrom: Ticket = NO_TICKET;
  /** Pairs of ticket and packet identifier: what is sent when the ticket is settled. Null for none. */
  #uncommitted: number[] | null = null;
  /** The last one that a QoS 2 exchange had to wait for. */
  #lastTicket: Ticket = NO_TICKET;

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
    return this.#window?.count ?? 0;
  }

  /** Everything that the client has not got, as far as we know. */
  get undelivered(): number {
    return this.waitingMessages + (this.#window?.undelivered ?? 0);
  }

  /** The client is behind by more than publishers should be allowed to add to. */
  get isCongested(): boolean {
    const { softLimit, softLimitBytes } = this.#context;
    return this.waitingMessages > softLimit || this.waitingBytes > softLimitBytes;
  }

  /** What is on its way. */
  get window(): InflightWindow | null {
    return this.#window;
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
    const window = this.#window;
    return window === null || (!window.isResending && window.count < this.#windowLimit);
  }

  /** The client can be sent the message, as far as is known: one that is away may take less or more when it is back. */
  takes(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean {
    return this.#front === null || this.#front.fits(message, qos, identifiers);
  }

  /** Takes over what was on its way before a restart. */
  restoreWindow(window: InflightWindow): void {
    this.#window = window;
  }

  /**
   * After a restart: what the log does not have was acknowledged, only that had not been stored yet. At QoS 2 the client
   * may still hold the identifier, and would take a later message under it for a repeat: the exchange goes on.
   */
  forgetSettled(): void {
    const window = this.#window;
    if (window === null) return;
    for (const { packetId, sequence, qos, isReleased } of [...window.entries()]) {
      if (isReleased || this.#context.log.has(sequence)) continue;
      if (qos === 2) window.receive(packetId);
      else window.drop(packetId);
    }
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
    this.#window?.beginResend();
    this.pump();
  }

  detach(): void {
    this.#front = null;
    this.#window?.endLeases();
    this.#uncommitted = null;
    if (this.#streams?.isBehind === false) this.#streams.fallBehind();
  }

  /** Messages that may be sent before one is acknowledged. */
  get windowRoom(): number {
    return this.hasRoom ? this.#windowLimit - (this.#window?.count ?? 0) : 0;
  }

  /** A packet identifier for a QoS 1 message that is not the session's (see {@link InflightWindow}). */
  openLease(): number {
    this.#window ??= new InflightWindow();
    return this.#window.lease();
  }

  /** The message has been acknowledged. */
  endLease(packetId: number): void {
    this.#window?.endLease(packetId);
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
    this.#window ??= new InflightWindow();
    if (this.#streams === null) {
      const packetId = this.#window.add(qos, retain, identifiers, NOT_LOGGED);
      front.sendPublication(publication, qos, packetId, retain, identifiers);
      return false;
    }
    const { recorder } = this.#context;
    recorder.hold();
    this.#streams.onSentAtOnce(qos, streams ?? NO_STREAMS);
    const packetId = this.#window.add(qos, retain, identifiers, recorder.sequence);
    if (!this.#mustCommit(packetId, qos)) {
      front.sendPublication(publication, qos, packetId, retain, identifiers);
    }
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
    if (!this.#sendCommitted(front) || !this.#resend(front)) return;
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
    this.#window ??= new InflightWindow();
    const packetId = this.#window.add(qos, retain, identifiers, sequence);
    if (this.#streams === null || !this.#mustCommit(packetId, qos)) {
      this.#send(front, message, qos, packetId, retain, identifiers, sequence);
    }
  }

  #send(
    front: SessionFront,
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
    sequence: number,
  ): void {
    if (sequence !== NOT_LOGGED && sequence <= this.repeatsThrough) {
      front.resendPublish(message, qos, packetId, retain, identifiers); // [MQTT-3.3.1-1]
    } else front.sendMessage(message, qos, packetId, retain, identifiers);
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

  /** @returns true if the message is sent later, when its identifier is stored */
  #mustCommit(packetId: number, qos: Qos): boolean {
    if (qos === 1 && this.#uncommitted === null) return false;
    const ticket = qos === 1 ? this.#lastTicket : this.#owner.onOutgoingChanged(true);
    if (qos === 2 && ticket <= this.#context.settledTicket()) return false;
    this.#lastTicket = ticket;
    this.#uncommitted ??= [];
    this.#uncommitted.push(ticket, packetId);
    this.#front?.onAwaitingCommit();
    return true;
  }

  /** The journal has settled more. */
  onSettled(): void {
    this.pump();
  }

  /** The session waits for the journal before it can send on. */
  get isAwaitingCommit(): boolean {
    if (this.#sendsFrom > this.#context.settledTicket()) return true;
    return this.#uncommitted !== null || (this.#window?.isResending === true && this.#isUnsettled);
  }

  get #isUnsettled(): boolean {
    return this.#lastTicket > this.#context.settledTicket();
  }

  /** @returns false if something has to be read first, or there is no room */
  #sendCommitted(front: SessionFront): boolean {
    const waiting = this.#uncommitted;
    if (waiting === null) return true;
    const settled = this.#context.settledTicket();
    const window = this.#window as InflightWindow;
    let sent = 0;
    while (sent < waiting.length && (waiting[sent] as Ticket) <= settled && front.hasRoom) {
      const packetId = waiting[sent + 1] as number;
      if (!window.has(packetId) || window.isReleased(packetId)) {
        // The client has acknowledged what it had not got yet.
        sent += 2;
        continue;
      }
      const sequence = window.sequenceOf(packetId);
      const message = this.#context.log.find(sequence, this);
      if (message === undefined) break;
      if (message === null) {
        this.#context.accounts.drop('storage-damaged');
        window.drop(packetId);
      } else {
        const qos = window.qosOf(packetId);
        const identifiers = window.identifiersOf(packetId);
        this.#send(front, message, qos, packetId, window.retainOf(packetId), identifiers, sequence);
      }
      sent += 2;
    }
    if (sent === waiting.length) this.#uncommitted = null;
    else if (sent > 0) this.#uncommitted = waiting.slice(sent);
    const next = waiting[sent];
    return next === undefined || next > settled;
  }

  /** Sends again what the client's Receive Maximum and the buffer allow. @returns true once nothing is left */
  #resend(front: SessionFront): boolean {
    const window = this.#window;
    if (window === null) return true;
    // [MQTT-3.3.4-9] the Receive Maximum may be smaller than it was on the last connection
    // and PUBREL does not count against it [MQTT-3.3.4-10]
    while (window.isResending && front.hasRoom) {
      const packetId = window.nextUnsent;
      if (window.sentCount >= this.#windowLimit && !window.isReleased(packetId)) break;
      if (!this.#resendOne(front, window, packetId)) return false;
    }
    return !window.isResending;
  }

  /** @returns false if it cannot be sent yet */
  #resendOne(front: SessionFront, window: InflightWindow, packetId: number): boolean {
    const qos = window.qosOf(packetId);
    if (qos === 2 && this.#isUnsettled) {
      front.onAwaitingCommit();
      return false;
    }
    if (window.isReleased(packetId)) {
      window.markSent(packetId);
      front.resendPubrel(packetId);
      return true;
    }
    const sequence = window.sequenceOf(packetId);
    const message = this.#context.log.find(sequence, this);
    if (message === undefined) return false;
    const identifiers = window.identifiersOf(packetId);
    if (message === null) {
      this.#context.accounts.drop('storage-damaged');
      // The client may have had it, and PUBREL is what it waits for.
      if (qos === 2) window.receive(packetId);
      else window.drop(packetId);
      return true;
    }
    // [MQTT-3.1.2-25]; and who comes back, or the rules meanwhile, may have taken the right to it away.
    const isPermitted = this.#owner.mayBeSent(message.topic);
    if (!isPermitted || !front.fits(message, qos, identifiers)) {
      this.#context.accounts.drop(isPermitted ? 'packet-too-large' : 'not-authorized');
      if (qos === 1) this.#settle(window.drop(packetId));
      else {
        // The client may have had it on an earlier connection, and would take the next one under this identifier for a
        // repeat: the exchange is brought to its end. PUBREL waits for the record as after any PUBREC.
        this.#settle(window.receive(packetId));
        this.#lastTicket = Math.max(this.#lastTicket, this.#owner.onOutgoingChanged(true));
      }
    } else {
      window.markSent(packetId);
      front.resendPublish(message, qos, packetId, window.retainOf(packetId), identifiers); // [MQTT-3.3.1-1]
    }
    return true;
  }

  /** What had to be read is there. */
  onLoaded(): void {
    this.pump();
    this.#front?.onLoaded();
  }

  /** One of our messages with this identifier is on its way, in whatever state. */
  isInflight(packetId: number): boolean {
    return this.#window?.has(packetId) ?? false;
  }

  /** PUBACK from the client. @returns false if it acknowledges nothing */
  onPuback(packetId: number, isRefusal: boolean): boolean {
    const sequence = this.#window?.acknowledge(packetId) ?? NOT_INFLIGHT;
    if (sequence === NOT_INFLIGHT) return false;
    if (isRefusal) this.#context.accounts.drop('refused-by-client');
    else this.#context.accounts.delivered++;
    this.#settle(sequence);
    return true;
  }

  /** PUBREC with success. @returns the ticket that PUBREL waits for, or -1 if the identifier is unknown */
  onPubrec(packetId: number): Ticket | -1 {
    if (this.#window?.isReleased(packetId) === true) return this.#lastTicket;
    const sequence = this.#window?.receive(packetId) ?? NOT_INFLIGHT;
    if (sequence === NOT_INFLIGHT) return -1;
    this.#context.accounts.delivered++;
    if (this.#streams === null) return NO_TICKET;
    this.#context.log.release(sequence);
    this.#lastTicket = Math.max(this.#lastTicket, this.#owner.onOutgoingChanged(true));
    return this.#lastTicket;
  }

  /** PUBREC with a failure [MQTT-4.4.0-2]. */
  onPubrecRefusal(packetId: number): boolean {
    const sequence = this.#window?.refuse(packetId) ?? NOT_INFLIGHT;
    if (sequence === NOT_INFLIGHT) return false;
    this.#context.accounts.drop('refused-by-client');
    this.#settle(sequence);
    return true;
  }

  onPubcomp(packetId: number): boolean {
    if (this.#window?.complete(packetId) !== true) return false;
    if (this.#streams !== null) this.#owner.onOutgoingChanged(false);
    return true;
  }

  #settle(sequence: number): void {
    if (this.#streams === null) return;
    this.#context.log.release(sequence);
    this.#owner.onOutgoingChanged(false);
  }

  /** The session is over: what still waits goes nowhere, and is counted. */
  end(): void {
    const { accounts, log, recorder } = this.#context;
    if (this.undelivered > 0) accounts.drop('session-ended', this.undelivered);
    if (this.#streams !== null && this.#window !== null) {
      for (const { sequence } of this.#window.entries()) {
        if (sequence === recorder.sequence) recorder.letGo();
        else if (sequence !== NOT_LOGGED) log.release(sequence);
      }
    }
    this.#backlog?.clear();
    this.#window = null;
    this.#front = null;
    this.#uncommitted = null;
  }
}
