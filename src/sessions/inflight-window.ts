/**
 * The QoS 1 and 2 messages that are on their way to one client: sent, and not yet fully acknowledged (section 4.3).
 * A ring of slots addressed by packet identifier: sending and acknowledging touch one slot, and no map.
 * Identifiers are handed out in order; one whose slot is still taken is passed over, so a message that is stuck blocks
 * nothing but itself. It holds no message: those of a kept session stand in the message log, by sequence number, and
 * those of others are never sent again. Invariant: at most half of the slots are taken.
 *
 * A lease is an identifier under which somebody else sends a QoS 1 message that is not the session's: it counts against the
 * Receive Maximum, and ends with the connection.
 *
 *   slot = packet identifier mod size      #slots[slot] = state | flags | packet identifier, packed; 0 is free
 */
import type { Qos } from '../core/message.js';

const FREE = 0;
const RETAIN = 1 << 16;
const AWAITING_PUBACK = 1 << 17;
const AWAITING_PUBREC = 2 << 17;
const AWAITING_PUBCOMP = 3 << 17;
const STATE = 3 << 17;
const LEASED = 1 << 19;

const SMALLEST_RING = 16;
const LARGEST_IDENTIFIER = 65_535;

/** There is no message in the log: the session is not kept. */
export const NOT_LOGGED = 0;
/** What an acknowledgement is answered with that fits no message. */
export const NOT_INFLIGHT = -1;

/** One message on its way, as it is stored and restored. */
export interface InflightEntry {
  readonly packetId: number;
  /** Its number in the message log. */
  readonly sequence: number;
  readonly qos: Qos;
  readonly retain: boolean;
  /** PUBREC has come: what is left is PUBREL and PUBCOMP. */
  readonly isReleased: boolean;
  readonly identifiers: readonly number[] | null;
  /** Grows in the order of sending. */
  readonly order: number;
}

export class InflightWindow {
  #mask = SMALLEST_RING - 1;
  #slots = new Int32Array(SMALLEST_RING);
  /** When each was sent, by count: the order for resending. */
  #orders = new Float64Array(SMALLEST_RING);
  /** Numbers in the message log. */
  #sequences = new Float64Array(SMALLEST_RING);
  /** Subscription Identifiers by slot; few clients use them. */
  #identifiers: Map<number, readonly number[]> | null = null;
  #count = 0;
  #released = 0;
  #leased = 0;
  /** Largest count since the window was last empty. */
  #peak = 0;
  #lastPacketId = 0;
  #order = 0;
  /** Identifiers that have not been sent on this connection yet, in order; null when there are none. */
  #unsent: Set<number> | null = null;

  /** Messages on their way: what counts against the client's Receive Maximum [MQTT-3.3.4-9]. */
  get count(): number {
    return this.#count;
  }

  /** Those of them that the client has not got yet, as far as we know. */
  get undelivered(): number {
    return this.#count - this.#released - this.#leased;
  }

  /** Notes that a message is being sent at `qos` (1 or 2). @returns its packet identifier [MQTT-2.2.1-4] */
  add(qos: Qos, retain: boolean, identifiers: readonly number[] | null, sequence: number): number {
    const state = (qos === 1 ? AWAITING_PUBACK : AWAITING_PUBREC) | (retain ? RETAIN : 0);
    return this.#takeNext(state, sequence, identifiers);
  }

  /** @returns a packet identifier that is somebody else's until {@link endLease} */
  lease(): number {
    this.#leased++;
    return this.#takeNext(AWAITING_PUBACK | LEASED, NOT_LOGGED, null);
  }

  endLease(packetId: number): void {
    this.#free(packetId & this.#mask);
  }

  /** The connection is gone, and its leases with it. */
  endLeases(): void {
    for (let slot = 0; slot < this.#slots.length && this.#leased > 0; slot++) {
      if (((this.#slots[slot] as number) & LEASED) !== 0) this.#free(slot);
    }
  }

  #takeNext(state: number, sequence: number, identifiers: readonly number[] | null): number {
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
    this.#take(slot, state | packetId, sequence, identifiers, this.#order++);
    return packetId;
  }

  /** Takes over an entry that was stored, into a window that has just been made. */
  restore(entry: InflightEntry): void {
    const { packetId, qos, retain, isReleased, sequence, identifiers, order } = entry;
    while (2 * (this.#count + 1) > this.#slots.length || this.#slots[packetId & this.#mask] !== FREE) {
      this.#resize(2 * this.#slots.length);
    }
    const awaited = qos === 1 ? AWAITING_PUBACK : isReleased ? AWAITING_PUBCOMP : AWAITING_PUBREC;
    const packed = awaited | (retain ? RETAIN : 0) | packetId;
    this.#take(packetId & this.#mask, packed, sequence, identifiers, order);
    if (isReleased) this.#released++;
    if (order >= this.#order) {
      this.#order = order + 1;
      this.#lastPacketId = packetId;
    }
  }

  /** The identifier is in use. */
  has(packetId: number): boolean {
    return this.#stateOf(packetId) !== FREE;
  }

  /**
   * PUBACK: the message is delivered.
   * @returns its number in the log, or {@link NOT_INFLIGHT} if no QoS 1 message with this identifier is on its way
   */
  acknowledge(packetId: number): number {
    return this.#stateOf(packetId) === AWAITING_PUBACK ? this.#free(packetId & this.#mask) : NOT_INFLIGHT;
  }

  /**
   * PUBREC with success: the client has the message, which is forgotten; what is left is PUBREL and PUBCOMP.
   * A repeated PUBREC is answered again.
   * @returns the message's number in the log, {@link NOT_LOGGED} if it has been forgotten already, or
   *   {@link NOT_INFLIGHT} if the identifier is not in use for QoS 2
   */
  receive(packetId: number): number {
    const state = this.#stateOf(packetId);
    if (state === AWAITING_PUBCOMP) return NOT_LOGGED;
    if (state !== AWAITING_PUBREC) return NOT_INFLIGHT;
    const slot = packetId & this.#mask;
    const sequence = this.#sequences[slot] as number;
    this.#slots[slot] = AWAITING_PUBCOMP | packetId;
    this.#sequences[slot] = NOT_LOGGED; // [MQTT-4.3.3-6] it is never sent again
    this.#identifiers?.delete(slot);
    this.#released++;
    return sequence;
  }

  /** PUBREC has come for this identifier. */
  isReleased(packetId: number): boolean {
    return this.#stateOf(packetId) === AWAITING_PUBCOMP;
  }

  /** PUBREC with a failure: the exchange is over [MQTT-4.4.0-2]. @returns as {@link acknowledge} */
  refuse(packetId: number): number {
    return this.#stateOf(packetId) === AWAITING_PUBREC ? this.#free(packetId & this.#mask) : NOT_INFLIGHT;
  }

  /** PUBCOMP: the exchange is over. @returns false if there was none in that state */
  complete(packetId: number): boolean {
    if (this.#stateOf(packetId) !== AWAITING_PUBCOMP) return false;
    this.#free(packetId & this.#mask);
    return true;
  }

  /** Gives up what is on its way under this identifier. @returns its number in the log */
  drop(packetId: number): number {
    return this.#free(packetId & this.#mask);
  }

  sequenceOf(packetId: number): number {
    return this.#sequences[packetId & this.#mask] as number;
  }

  qosOf(packetId: number): Qos {
    return this.#stateOf(packetId) === AWAITING_PUBACK ? 1 : 2;
  }

  retainOf(packetId: number): boolean {
    return ((this.#slots[packetId & this.#mask] as number) & RETAIN) !== 0;
  }

  identifiersOf(packetId: number): readonly number[] | null {
    return this.#identifiers?.get(packetId & this.#mask) ?? null;
  }

  /**
   * A new connection: everything unacknowledged is to be sent again, in the order of the first time [MQTT-4.4.0-1]. What
   * is released goes first: PUBREL must not wait for PUBLISHes that the Receive Maximum holds back [MQTT-3.3.4-10].
   */
  beginResend(): void {
    const released: number[] = [];
    const others: number[] = [];
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const packed = this.#slots[slot] as number;
      if (packed !== FREE) ((packed & STATE) === AWAITING_PUBCOMP ? released : others).push(slot);
    }
    const byOrder = (a: number, b: number) => (this.#orders[a] as number) - (this.#orders[b] as number);
    const packetIds = [...released.sort(byOrder), ...others.sort(byOrder)].map(
      (slot) => (this.#slots[slot] as number) & LARGEST_IDENTIFIER,
    );
    this.#unsent = packetIds.length === 0 ? null : new Set(packetIds);
  }

  /** Something is left to be sent again. */
  get isResending(): boolean {
    return this.#unsent !== null;
  }

  /** Messages on their way that have been sent on this connection. */
  get sentCount(): number {
    return this.#count - (this.#unsent?.size ?? 0);
  }

  /** The next identifier to send again. Only while {@link isResending}. */
  get nextUnsent(): number {
    return this.#unsent?.values().next().value as number;
  }

  markSent(packetId: number): void {
    if (this.#unsent === null) return;
    this.#unsent.delete(packetId);
    if (this.#unsent.size === 0) this.#unsent = null;
  }

  /** Everything on its way but leases, the oldest first as long as no identifier had to be passed over. */
  *entries(): IterableIterator<InflightEntry> {
    for (let step = 1; step <= this.#slots.length; step++) {
      const slot = (this.#lastPacketId + step) & this.#mask;
      const packed = this.#slots[slot] as number;
      if (packed === FREE || (packed & LEASED) !== 0) continue;
      yield {
        packetId: packed & LARGEST_IDENTIFIER,
        sequence: this.#sequences[slot] as number,
        qos: (packed & STATE) === AWAITING_PUBACK ? 1 : 2,
        retain: (packed & RETAIN) !== 0,
        isReleased: (packed & STATE) === AWAITING_PUBCOMP,
        identifiers: this.#identifiers?.get(slot) ?? null,
        order: this.#orders[slot] as number,
      };
    }
  }

  #take(slot: number, packed: number, sequence: number, identifiers: readonly number[] | null, order: number): void {
    this.#slots[slot] = packed;
    this.#orders[slot] = order;
    this.#sequences[slot] = sequence;
    if (identifiers !== null) {
      this.#identifiers ??= new Map();
      this.#identifiers.set(slot, identifiers);
    }
    if (++this.#count > this.#peak) this.#peak = this.#count;
  }

  #stateOf(packetId: number): number {
    const packed = this.#slots[packetId & this.#mask] as number;
    return (packed & LARGEST_IDENTIFIER) === packetId ? packed & STATE : FREE;
  }

  #free(slot: number): number {
    const packed = this.#slots[slot] as number;
    if (this.#unsent !== null) this.markSent(packed & LARGEST_IDENTIFIER);
    if ((packed & STATE) === AWAITING_PUBCOMP) this.#released--;
    if ((packed & LEASED) !== 0) this.#leased--;
    this.#slots[slot] = FREE;
    this.#identifiers?.delete(slot);
    const sequence = this.#sequences[slot] as number;
    if (--this.#count === 0) this.#onEmpty();
    return sequence;
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
    const orders = new Float64Array(size);
    const sequences = new Float64Array(size);
    const identifiers = this.#identifiers === null ? null : new Map<number, readonly number[]>();
    for (let old = 0; old < this.#slots.length; old++) {
      const packed = this.#slots[old] as number;
      if (packed === FREE) continue;
      const slot = packed & LARGEST_IDENTIFIER & mask;
      slots[slot] = packed;
      orders[slot] = this.#orders[old] as number;
      sequences[slot] = this.#sequences[old] as number;
      const listed = this.#identifiers?.get(old);
      if (listed !== undefined) identifiers?.set(slot, listed);
    }
    this.#mask = mask;
    this.#slots = slots;
    this.#orders = orders;
    this.#sequences = sequences;
    this.#identifiers = identifiers;
  }
}
