/**
 * The QoS 1 and 2 messages that are on their way to one client: sent, and not yet fully acknowledged (section 4.3).
 * A ring of slots addressed by packet identifier: sending and acknowledging touch one slot, and no map.
 * Identifiers are handed out in order; one whose slot is still taken is passed over, so a message that is stuck blocks
 * nothing but itself. Invariant: at most half of the slots are taken.
 *
 *   slot = packet identifier mod size      #slots[slot] = state | RETAIN | packet identifier, packed; 0 is free
 */
import type { Message, Qos } from '../core/message.js';

const FREE = 0;
const RETAIN = 1 << 16;
const AWAITING_PUBACK = 1 << 17;
const AWAITING_PUBREC = 2 << 17;
const AWAITING_PUBCOMP = 3 << 17;
const STATE = 3 << 17;

const SMALLEST_RING = 16;
const LARGEST_IDENTIFIER = 65_535;

/** Sends a message, or a PUBREL, again; see {@link InflightWindow.resendNext}. */
export interface Resender {
  /** The encoded packet does not pass the client's Maximum Packet Size [MQTT-3.1.2-24]. */
  fits(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean;
  resendPublish(
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void;
  resendPubrel(packetId: number): void;
}

export class InflightWindow {
  #mask = SMALLEST_RING - 1;
  #slots = new Int32Array(SMALLEST_RING);
  /** When each was sent, by count: the order for resending. */
  #sequences = new Float64Array(SMALLEST_RING);
  #messages: (Message | null)[] = new Array<Message | null>(SMALLEST_RING).fill(null);
  /** Subscription Identifiers by slot; few clients use them. */
  #identifiers: Map<number, readonly number[]> | null = null;
  #count = 0;
  #bytes = 0;
  /** Largest count since the window was last empty. */
  #peak = 0;
  #lastPacketId = 0;
  #sequence = 0;
  /** Identifiers that have not been sent on this connection yet, in order; null when there are none. */
  #unsent: Set<number> | null = null;

  /** Messages on their way: what counts against the client's Receive Maximum [MQTT-3.3.4-9]. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of content that it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes that `message` is being sent at `qos` (1 or 2). @returns its packet identifier [MQTT-2.2.1-4] */
  add(message: Message, qos: Qos, retain: boolean, identifiers: readonly number[] | null): number {
    if (2 * (this.#count + 1) > this.#slots.length) this.#resize(2 * this.#slots.length);
    const slots = this.#slots;
    const mask = this.#mask;
    let packetId = this.#lastPacketId;
    let slot: number;
    do {
      packetId = packetId === LARGEST_IDENTIFIER ? 1 : packetId + 1;
      slot = packetId & mask;
    } while (slots[slot] !== FREE);
    this.#lastPacketId = packetId;
    slots[slot] = (qos === 1 ? AWAITING_PUBACK : AWAITING_PUBREC) | (retain ? RETAIN : 0) | packetId;
    this.#sequences[slot] = this.#sequence++;
    this.#messages[slot] = message;
    if (identifiers !== null) {
      this.#identifiers ??= new Map();
      this.#identifiers.set(slot, identifiers);
    }
    this.#bytes += message.span;
    if (++this.#count > this.#peak) this.#peak = this.#count;
    return packetId;
  }

  /** The identifier is in use. */
  has(packetId: number): boolean {
    return this.#stateOf(packetId) !== FREE;
  }

  /** PUBACK: the message is delivered. @returns false if no QoS 1 message with this identifier is on its way */
  acknowledge(packetId: number): boolean {
    if (this.#stateOf(packetId) !== AWAITING_PUBACK) return false;
    this.#free(packetId & this.#mask);
    return true;
  }

  /**
   * PUBREC with success: the client has the message, which is forgotten; what is left is PUBREL and PUBCOMP.
   * A repeated PUBREC is answered again. @returns false if the identifier is not in use for QoS 2
   */
  receive(packetId: number): boolean {
    const state = this.#stateOf(packetId);
    if (state !== AWAITING_PUBREC && state !== AWAITING_PUBCOMP) return false;
    const slot = packetId & this.#mask;
    this.#slots[slot] = AWAITING_PUBCOMP | packetId;
    this.#forget(slot); // [MQTT-4.3.3-6] it is never sent again
    return true;
  }

  /** PUBREC with a failure: the exchange is over [MQTT-4.4.0-2]. @returns false if there was none in that state */
  refuse(packetId: number): boolean {
    if (this.#stateOf(packetId) !== AWAITING_PUBREC) return false;
    this.#free(packetId & this.#mask);
    return true;
  }

  /** PUBCOMP: the exchange is over. @returns false if there was none in that state */
  complete(packetId: number): boolean {
    if (this.#stateOf(packetId) !== AWAITING_PUBCOMP) return false;
    this.#free(packetId & this.#mask);
    return true;
  }

  /** Something is left for {@link resendNext}. */
  get isResending(): boolean {
    return this.#unsent !== null;
  }

  /** Messages on their way that have been sent on this connection. */
  get sentCount(): number {
    return this.#count - (this.#unsent?.size ?? 0);
  }

  /** A new connection: everything unacknowledged is to be sent again, in the order of the first time [MQTT-4.4.0-1]. */
  beginResend(): void {
    const taken: number[] = [];
    for (let slot = 0; slot < this.#slots.length; slot++) if (this.#slots[slot] !== FREE) taken.push(slot);
    taken.sort((a, b) => (this.#sequences[a] as number) - (this.#sequences[b] as number));
    const packetIds = taken.map((slot) => (this.#slots[slot] as number) & LARGEST_IDENTIFIER);
    this.#unsent = packetIds.length === 0 ? null : new Set(packetIds);
  }

  /**
   * Hands the next one to `resender`. Only while {@link isResending}.
   * @returns false if it is larger than what the client takes now, and has been dropped [MQTT-3.1.2-25]
   */
  resendNext(resender: Resender): boolean {
    const packetId = this.#unsent?.values().next().value;
    if (packetId === undefined) return true;
    this.#forgetUnsent(packetId);
    const slot = packetId & this.#mask;
    const packed = this.#slots[slot] as number;
    const message = this.#messages[slot] ?? null;
    if (message === null) {
      resender.resendPubrel(packetId);
      return true;
    }
    const qos = (packed & STATE) === AWAITING_PUBACK ? 1 : 2;
    const identifiers = this.#identifiers?.get(slot) ?? null;
    if (!resender.fits(message, qos, identifiers)) {
      this.#free(slot);
      return false;
    }
    resender.resendPublish(message, qos, packetId, (packed & RETAIN) !== 0, identifiers);
    return true;
  }

  /** The client is gone for a while: the messages are moved to where they pin nothing else. */
  compact(): void {
    for (const message of this.#messages) message?.compact();
  }

  #stateOf(packetId: number): number {
    const packed = this.#slots[packetId & this.#mask] as number;
    return (packed & LARGEST_IDENTIFIER) === packetId ? packed & STATE : FREE;
  }

  #free(slot: number): void {
    if (this.#unsent !== null) this.#forgetUnsent((this.#slots[slot] as number) & LARGEST_IDENTIFIER);
    this.#slots[slot] = FREE;
    this.#forget(slot);
    this.#count--;
    if (this.#count === 0) this.#onEmpty();
  }

  #forgetUnsent(packetId: number): void {
    if (this.#unsent === null) return;
    this.#unsent.delete(packetId);
    if (this.#unsent.size === 0) this.#unsent = null;
  }

  #forget(slot: number): void {
    const message = this.#messages[slot] ?? null;
    if (message === null) return;
    this.#bytes -= message.span;
    this.#messages[slot] = null;
    this.#identifiers?.delete(slot);
  }

  /** One burst is not to cost its memory for ever. */
  #onEmpty(): void {
    const size = this.#slots.length;
    if (size > SMALLEST_RING && this.#peak * 8 < size) this.#resize(size / 2);
    this.#peak = 0;
  }

  /** Growing: identifiers that differ modulo the old size differ modulo the new one. Shrinking: there are none. */
  #resize(size: number): void {
    const mask = size - 1;
    const slots = new Int32Array(size);
    const sequences = new Float64Array(size);
    const messages = new Array<Message | null>(size).fill(null);
    const identifiers = this.#identifiers === null ? null : new Map<number, readonly number[]>();
    for (let old = 0; old < this.#slots.length; old++) {
      const packed = this.#slots[old] as number;
      if (packed === FREE) continue;
      const slot = packed & LARGEST_IDENTIFIER & mask;
      slots[slot] = packed;
      sequences[slot] = this.#sequences[old] as number;
      messages[slot] = this.#messages[old] ?? null;
      const listed = this.#identifiers?.get(old);
      if (listed !== undefined) identifiers?.set(slot, listed);
    }
    this.#mask = mask;
    this.#slots = slots;
    this.#sequences = sequences;
    this.#messages = messages;
    this.#identifiers = identifiers;
  }
}
