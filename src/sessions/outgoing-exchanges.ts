/**
 * The messages that have a packet identifier of ours, until the client has acknowledged them to the end (section 4.3): what is sent when the
 * identifier is stored, what is sent again on the next connection, and what the client's answers settle. Made for the first
 * such message. Which one comes next is up to OutgoingMessages.
 *
 *   begin ──▶ (kept, QoS 2: waits for the commit) ──▶ front ──▶ acknowledged      next connection: beginResend ─▶ front
 *
 * What a kept session sends at QoS 2 waits until its packet identifier is stored: or else a client that has the message
 * under one identifier could be sent it under another one after a crash. What comes behind it waits too.
 */
import type { DeliveryAccounts } from '../core/delivery-accounts.js';
import type { Message, Qos } from '../core/message.js';
import type { LogReader, MessageLog } from '../store/message-log.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { type InflightEntry, InflightWindow, NOT_INFLIGHT, NOT_LOGGED } from './inflight-window.js';
import type { MessageRecorder } from './message-recorder.js';
import type { SessionFront } from './session-front.js';

/** Instead of a packet identifier: the message is sent when that is stored. */
export const SENT_LATER = 0;

/** What all sessions share of it. */
export interface ExchangeContext {
  readonly log: MessageLog;
  readonly recorder: MessageRecorder;
  readonly accounts: DeliveryAccounts;
  readonly settledTicket: () => Ticket;
}

/** The session whose messages they are. */
export interface ExchangeOwner {
  /** It is stored. */
  readonly isKept: boolean;
  /** Messages up to this number may have been sent before a crash: they go out with DUP. */
  readonly repeatsThrough: number;
  /** What is on its way has changed. @returns the ticket of the commit that will hold it */
  onOutgoingChanged(isUrgent: boolean): Ticket;
  /** Whether the client may be sent messages of this topic, whatever it has subscribed to. */
  mayBeSent(topic: string): boolean;
}

export class OutgoingExchanges {
  readonly #context: ExchangeContext;
  readonly #owner: ExchangeOwner;
  /** Told when the log has read what is to be sent. */
  readonly #reader: LogReader;
  readonly #window: InflightWindow;
  /** Pairs of ticket and packet identifier: what is sent when the ticket is settled. Null for none. */
  #uncommitted: number[] | null = null;
  /** The last one that a QoS 2 exchange had to wait for. */
  #lastTicket: Ticket = NO_TICKET;

  /** @param window what was on its way before a restart, or an empty one */
  constructor(context: ExchangeContext, owner: ExchangeOwner, reader: LogReader, window = new InflightWindow()) {
    this.#context = context;
    this.#owner = owner;
    this.#reader = reader;
    this.#window = window;
  }

  /** What counts against the client's Receive Maximum. */
  get count(): number {
    return this.#window.count;
  }

  /** Messages that the client has not got yet, as far as we know. */
  get undelivered(): number {
    return this.#window.undelivered;
  }

  /** What is on its way, as it is stored. */
  entries(): IterableIterator<InflightEntry> {
    return this.#window.entries();
  }

  /** Another one may begin. @param limit unacknowledged messages that the client may be sent */
  hasRoom(limit: number): boolean {
    return !this.#window.isResending && this.#window.count < limit;
  }

  /** One with this identifier is on its way, in whatever state. */
  has(packetId: number): boolean {
    return this.#window.has(packetId);
  }

  /** Something waits for the journal before it can be sent. */
  get isAwaitingCommit(): boolean {
    return this.#uncommitted !== null || (this.#window.isResending && this.#isUnsettled);
  }

  get #isUnsettled(): boolean {
    return this.#lastTicket > this.#context.settledTicket();
  }

  // ---------------------------------------------------------------- the first time

  /**
   * Gives a message its packet identifier.
   * @param qos 1 or 2
   * @param sequence its number in the log, NOT_LOGGED if it is not there
   * @returns the identifier to send it under now, or {@link SENT_LATER}
   */
  begin(
    front: SessionFront,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[] | null,
    sequence: number,
  ): number {
    const packetId = this.#window.add(qos, retain, identifiers, sequence);
    if (qos === 1 && this.#uncommitted === null) return packetId;
    return this.#owner.isKept && this.#mustCommit(front, packetId, qos) ? SENT_LATER : packetId;
  }

  /** Sends a message that had to wait, now or when its identifier is stored. Parameters as for {@link begin}. */
  send(
    front: SessionFront,
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[] | null,
    sequence: number,
  ): void {
    const packetId = this.begin(front, qos, retain, identifiers, sequence);
    if (packetId !== SENT_LATER) this.#send(front, message, qos, packetId, retain, identifiers, sequence);
  }

  /** @returns true if the message is sent later, when its identifier is stored */
  #mustCommit(front: SessionFront, packetId: number, qos: Qos): boolean {
    const ticket = qos === 1 ? this.#lastTicket : this.#owner.onOutgoingChanged(true);
    if (qos === 2 && ticket <= this.#context.settledTicket()) return false;
    this.#lastTicket = ticket;
    this.#uncommitted ??= [];
    this.#uncommitted.push(ticket, packetId);
    front.onAwaitingCommit();
    return true;
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
    if (sequence !== NOT_LOGGED && sequence <= this.#owner.repeatsThrough) {
      front.resendPublish(message, qos, packetId, retain, identifiers); // [MQTT-3.3.1-1]
    } else front.sendMessage(message, qos, packetId, retain, identifiers);
  }

  // ---------------------------------------------------------------- what is due

  /**
   * Sends what waited for the disk, and what is to be sent again.
   * @param limit unacknowledged messages that the client may be sent
   * @returns whether nothing of it is left that could be sent: something else may be
   */
  advance(front: SessionFront, limit: number): boolean {
    return this.#sendCommitted(front) && this.#resend(front, limit);
  }

  /** @returns false if something has to be read first, or there is no room */
  #sendCommitted(front: SessionFront): boolean {
    const waiting = this.#uncommitted;
    if (waiting === null) return true;
    const settled = this.#context.settledTicket();
    let sent = 0;
    while (sent < waiting.length && (waiting[sent] as Ticket) <= settled && front.hasRoom) {
      if (!this.#sendCommittedOne(front, waiting[sent + 1] as number)) break;
      sent += 2;
    }
    if (sent === waiting.length) this.#uncommitted = null;
    else if (sent > 0) this.#uncommitted = waiting.slice(sent);
    const next = waiting[sent];
    return next === undefined || next > settled;
  }

  /** @returns false if it has to be read first */
  #sendCommittedOne(front: SessionFront, packetId: number): boolean {
    const window = this.#window;
    // The client may have acknowledged what it had not got yet.
    if (!window.has(packetId) || window.isReleased(packetId)) return true;
    const sequence = window.sequenceOf(packetId);
    const message = this.#context.log.find(sequence, this.#reader);
    if (message === undefined) return false;
    if (message === null) {
      this.#context.accounts.drop('storage-damaged');
      window.drop(packetId);
      return true;
    }
    const identifiers = window.identifiersOf(packetId);
    this.#send(front, message, window.qosOf(packetId), packetId, window.retainOf(packetId), identifiers, sequence);
    return true;
  }

  /** On a new connection: what was not acknowledged on the last one is to be sent again, in its order [MQTT-4.4.0-1]. */
  beginResend(): void {
    this.#window.beginResend();
  }

  /** The connection is gone: what waited for the disk is sent again on the next one like the rest. */
  onDetached(): void {
    this.#window.endLeases();
    this.#uncommitted = null;
  }

  /** Sends again what the client's Receive Maximum and the buffer allow. @returns true once nothing is left */
  #resend(front: SessionFront, limit: number): boolean {
    const window = this.#window;
    // [MQTT-3.3.4-9] the Receive Maximum may be smaller than it was on the last connection
    // and PUBREL does not count against it [MQTT-3.3.4-10]
    while (window.isResending && front.hasRoom) {
      const packetId = window.nextUnsent;
      if (window.sentCount >= limit && !window.isReleased(packetId)) break;
      if (!this.#resendOne(front, packetId)) return false;
    }
    return !window.isResending;
  }

  /** @returns false if it cannot be sent yet */
  #resendOne(front: SessionFront, packetId: number): boolean {
    const window = this.#window;
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
    const message = this.#context.log.find(window.sequenceOf(packetId), this.#reader);
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
      this.#giveUp(packetId, qos);
    } else {
      window.markSent(packetId);
      front.resendPublish(message, qos, packetId, window.retainOf(packetId), identifiers); // [MQTT-3.3.1-1]
    }
    return true;
  }

  #giveUp(packetId: number, qos: Qos): void {
    if (qos === 1) {
      this.#settle(this.#window.drop(packetId));
      return;
    }
    // The client may have had it on an earlier connection, and would take the next one under this identifier for a
    // repeat: the exchange is brought to its end. PUBREL waits for the record as after any PUBREC.
    this.#settle(this.#window.receive(packetId));
    this.#lastTicket = Math.max(this.#lastTicket, this.#owner.onOutgoingChanged(true));
  }

  // ---------------------------------------------------------------- the client's answers

  /** PUBACK from the client. @returns false if it acknowledges nothing */
  onPuback(packetId: number, isRefusal: boolean): boolean {
    const sequence = this.#window.acknowledge(packetId);
    if (sequence === NOT_INFLIGHT) return false;
    if (isRefusal) this.#context.accounts.drop('refused-by-client');
    else this.#context.accounts.delivered++;
    this.#settle(sequence);
    return true;
  }

  /** PUBREC with success. @returns the ticket that PUBREL waits for, or -1 if the identifier is unknown */
  onPubrec(packetId: number): Ticket | -1 {
    if (this.#window.isReleased(packetId)) return this.#lastTicket;
    const sequence = this.#window.receive(packetId);
    if (sequence === NOT_INFLIGHT) return -1;
    this.#context.accounts.delivered++;
    if (!this.#owner.isKept) return NO_TICKET;
    this.#context.log.release(sequence);
    this.#lastTicket = Math.max(this.#lastTicket, this.#owner.onOutgoingChanged(true));
    return this.#lastTicket;
  }

  /** PUBREC with a failure [MQTT-4.4.0-2]. */
  onPubrecRefusal(packetId: number): boolean {
    const sequence = this.#window.refuse(packetId);
    if (sequence === NOT_INFLIGHT) return false;
    this.#context.accounts.drop('refused-by-client');
    this.#settle(sequence);
    return true;
  }

  onPubcomp(packetId: number): boolean {
    if (!this.#window.complete(packetId)) return false;
    if (this.#owner.isKept) this.#owner.onOutgoingChanged(false);
    return true;
  }

  #settle(sequence: number): void {
    if (!this.#owner.isKept) return;
    this.#context.log.release(sequence);
    this.#owner.onOutgoingChanged(false);
  }

  // ---------------------------------------------------------------- leases

  /** A packet identifier for a QoS 1 message that is not the session's (see {@link InflightWindow}). */
  openLease(): number {
    return this.#window.lease();
  }

  /** The message has been acknowledged. */
  endLease(packetId: number): void {
    this.#window.endLease(packetId);
  }

  // ---------------------------------------------------------------- beginning and end

  /**
   * After a restart: what the log does not have was acknowledged, only that had not been stored yet. At QoS 2 the client
   * may still hold the identifier, and would take a later message under it for a repeat: the exchange goes on.
   */
  forgetSettled(): void {
    for (const { packetId, sequence, qos, isReleased } of [...this.#window.entries()]) {
      if (isReleased || this.#context.log.has(sequence)) continue;
      if (qos === 2) this.#window.receive(packetId);
      else this.#window.drop(packetId);
    }
  }

  /** The session is over: what is on its way is held in the log no longer. */
  end(): void {
    if (!this.#owner.isKept) return;
    const { log, recorder } = this.#context;
    for (const { sequence } of this.#window.entries()) {
      if (sequence === recorder.sequence) recorder.letGo();
      else if (sequence !== NOT_LOGGED) log.release(sequence);
    }
  }
}
