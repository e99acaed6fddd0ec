/**
 * The QoS 1 and 2 messages that are on their way to one client: sent, and not yet fully acknowledged (section 4.3).
 * A ring of slots addressed by packet identifier: sending and acknowledging touch one slot, and no map.
 * Identifiers are handed out in order; one whose slot is still taken is passed over, so a message that is stuck blocks
 * nothing but itself. Invariant: at most half of the slots are taken.
 */
import type { Message, Qos } from '../core/message.js';

const FREE = 0;
const AWAITING_PUBACK = 1;
const AWAITING_PUBREC = 2;
const AWAITING_PUBCOMP = 3;

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
  #states = new Uint8Array(SMALLEST_RING);
  #packetIds = new Uint16Array(SMALLEST_RING);
  /** When it was sent, by count: the order for resending. */
  #sequences = new Float64Array(SMALLEST_RING);
  #retains = new Uint8Array(SMALLEST_RING);
  #messages: (Message | null)[] = new Array<Message | null>(SMALLEST_RING).fill(null);
  #identifiers: (readonly number[] | null)[] = new Array<readonly number[] | null>(SMALLEST_RING).fill(null);
  #count = 0;
  #lastPacketId = 0;
  #sequence = 0;
  /** Identifiers that have not been sent on this connection yet, in order; null when there are none. */
  #unsent: Set<number> | null = null;

  /** Messages on their way: what counts against the client's Receive Maximum [MQTT-3.3.4-9]. */
  get count(): number {
    return this.#count;
  }

  /** Notes that `message` is being sent at `qos` (1 or 2). @returns its packet identifier [MQTT-2.2.1-4] */
  add(message: Message, qos: Qos, retain: boolean, identifiers: readonly number[] | null): number {
    if (2 * (this.#count + 1) > this.#states.length) this.#grow();
    const mask = this.#states.length - 1;
    let packetId = this.#lastPacketId;
    let slot: number;
    do {
      packetId = packetId === LARGEST_IDENTIFIER ? 1 : packetId + 1;
      slot = packetId & mask;
    } while (this.#states[slot] !== FREE);
    this.#lastPacketId = packetId;
    this.#states[slot] = qos === 1 ? AWAITING_PUBACK : AWAITING_PUBREC;
    this.#packetIds[slot] = packetId;
    this.#sequences[slot] = this.#sequence++;
    this.#retains[slot] = retain ? 1 : 0;
    this.#messages[slot] = message;
    this.#identifiers[slot] = identifiers;
    this.#count++;
    return packetId;
  }

  /** The identifier is in use. */
  has(packetId: number): boolean {
    const slot = packetId & (this.#states.length - 1);
    return this.#states[slot] !== FREE && this.#packetIds[slot] === packetId;
  }

  /** PUBACK: the message is delivered. @returns false if no QoS 1 message with this identifier is on its way */
  acknowledge(packetId: number): boolean {
    const slot = packetId & (this.#states.length - 1);
    if (this.#states[slot] !== AWAITING_PUBACK || this.#packetIds[slot] !== packetId) return false;
    this.#free(slot);
    return true;
  }

  /**
   * PUBREC with success: the client has the message, which is forgotten; what is left is PUBREL and PUBCOMP.
   * A repeated PUBREC is answered again. @returns false if the identifier is not in use for QoS 2
   */
  receive(packetId: number): boolean {
    const slot = packetId & (this.#states.length - 1);
    const state = this.#states[slot];
    if (this.#packetIds[slot] !== packetId || (state !== AWAITING_PUBREC && state !== AWAITING_PUBCOMP)) return false;
    this.#states[slot] = AWAITING_PUBCOMP;
    // [MQTT-4.3.3-6] it is never sent again
    this.#messages[slot] = null;
    return true;
  }

  /** PUBREC with a failure: the exchange is over [MQTT-4.4.0-2]. @returns false if there was none in that state */
  refuse(packetId: number): boolean {
    const slot = packetId & (this.#states.length - 1);
    if (this.#states[slot] !== AWAITING_PUBREC || this.#packetIds[slot] !== packetId) return false;
    this.#free(slot);
    return true;
  }

  /** PUBCOMP: the exchange is over. @returns false if there was none in that state */
  complete(packetId: number): boolean {
    const slot = packetId & (this.#states.length - 1);
    if (this.#states[slot] !== AWAITING_PUBCOMP || this.#packetIds[slot] !== packetId) return false;
    this.#free(slot);
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
    const slots: number[] = [];
    for (let slot = 0; slot < this.#states.length; slot++) if (this.#states[slot] !== FREE) slots.push(slot);
    slots.sort((a, b) => (this.#sequences[a] as number) - (this.#sequences[b] as number));
    this.#unsent = slots.length === 0 ? null : new Set(slots.map((slot) => this.#packetIds[slot] as number));
  }

  /**
   * Hands the next one to `resender`.
   * @returns false if it is larger than the client takes now, and is dropped [MQTT-3.1.2-25]
   */
  resendNext(resender: Resender): boolean {
    if (this.#unsent === null) return true;
    const packetId = this.#unsent.values().next().value as number;
    this.#forgetUnsent(packetId);
    const slot = packetId & (this.#states.length - 1);
    const state = this.#states[slot];
    const message = this.#messages[slot] ?? null;
    if (state === AWAITING_PUBCOMP || message === null) {
      resender.resendPubrel(packetId);
      return true;
    }
    const qos = state === AWAITING_PUBACK ? 1 : 2;
    const identifiers = this.#identifiers[slot] ?? null;
    if (!resender.fits(message, qos, identifiers)) {
      this.#free(slot);
      return false;
    }
    resender.resendPublish(message, qos, packetId, this.#retains[slot] === 1, identifiers);
    return true;
  }

  #forgetUnsent(packetId: number): void {
    if (this.#unsent === null) return;
    this.#unsent.delete(packetId);
    if (this.#unsent.size === 0) this.#unsent = null;
  }

  /** The client is gone for a while: the messages are moved to where they pin nothing else. */
  compact(): void {
    for (const message of this.#messages) message?.compact();
  }

  #free(slot: number): void {
    if (this.#unsent !== null) this.#forgetUnsent(this.#packetIds[slot] as number);
    this.#states[slot] = FREE;
    this.#messages[slot] = null;
    this.#identifiers[slot] = null;
    this.#count--;
  }

  #grow(): void {
    const size = this.#states.length * 2;
    const mask = size - 1;
    const states = new Uint8Array(size);
    const packetIds = new Uint16Array(size);
    const sequences = new Float64Array(size);
    const retains = new Uint8Array(size);
    const messages = new Array<Message | null>(size).fill(null);
    const identifiers = new Array<readonly number[] | null>(size).fill(null);
    for (let old = 0; old < this.#states.length; old++) {
      if (this.#states[old] === FREE) continue;
      // Two identifiers that differ modulo the old size differ modulo the new one.
      const slot = (this.#packetIds[old] as number) & mask;
      states[slot] = this.#states[old] as number;
      packetIds[slot] = this.#packetIds[old] as number;
      sequences[slot] = this.#sequences[old] as number;
      retains[slot] = this.#retains[old] as number;
      messages[slot] = this.#messages[old] ?? null;
      identifiers[slot] = this.#identifiers[old] ?? null;
    }
    this.#states = states;
    this.#packetIds = packetIds;
    this.#sequences = sequences;
    this.#retains = retains;
    this.#messages = messages;
    this.#identifiers = identifiers;
  }
}
