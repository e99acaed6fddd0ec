/**
 * The answers to one client: PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK. An answer leaves when the journal has
 * settled what it promises, and never before one that was due earlier [MQTT-4.6.0-2]. With nothing to wait for, and
 * nobody in front, it is written at once.
 */
import * as PacketType from '../codec/packet-type.js';
import { ReasonCode } from '../core/reason-code.js';
import type { Ticket } from '../store/ticket.js';
import type { OutboundBuffer } from '../transport/outbound-buffer.js';
import type { BrokerContext } from './broker-context.js';

interface WaitingAnswer {
  readonly ticket: Ticket;
  /** It ends the exchange of a PUBLISH of the client. */
  readonly isFinal: boolean;
  readonly send: () => void;
}

export class Acknowledger {
  readonly #context: BrokerContext;
  readonly #outbound: OutboundBuffer;
  readonly #isVersion5: boolean;
  /** Called when the first answer has to wait. */
  readonly #onWaiting: () => void;
  #waiting: WaitingAnswer[] | null = null;
  #waitingFinal = 0;

  constructor(context: BrokerContext, outbound: OutboundBuffer, isVersion5: boolean, onWaiting: () => void) {
    this.#context = context;
    this.#outbound = outbound;
    this.#isVersion5 = isVersion5;
    this.#onWaiting = onWaiting;
  }

  /** Answers that wait for the journal. */
  get waitingCount(): number {
    return this.#waiting?.length ?? 0;
  }

  /** Publishes of the client that are settled as soon as their answer has left. */
  get waitingFinalCount(): number {
    return this.#waitingFinal;
  }

  /** Answers with one of the four acknowledgements of PUBLISH. */
  acknowledge(ticket: Ticket, type: number, packetId: number, reasonCode: number): void {
    if (!this.#mustWait(ticket)) {
      this.#write(type, packetId, reasonCode);
      return;
    }
    const isFinal =
      type === PacketType.PUBACK ||
      (type === PacketType.PUBCOMP && reasonCode === ReasonCode.Success) ||
      (type === PacketType.PUBREC && reasonCode >= ReasonCode.UnspecifiedError);
    this.#wait(ticket, isFinal, () => this.#write(type, packetId, reasonCode));
  }

  /** Answers with a packet that is encoded already. */
  send(ticket: Ticket, type: number, bytes: Buffer): void {
    if (this.#mustWait(ticket)) this.#wait(ticket, false, () => this.#writePacket(type, bytes));
    else this.#writePacket(type, bytes);
  }

  /** The journal has settled more. */
  onSettled(): void {
    if (this.#waiting === null) return;
    const settled = this.#context.journal.settledTicket;
    let due = this.#waiting.findIndex((answer) => answer.ticket > settled);
    if (due === -1) due = this.#waiting.length;
    for (const answer of this.#waiting.splice(0, due)) {
      if (answer.isFinal) this.#waitingFinal--;
      answer.send();
    }
    if (this.#waiting.length === 0) this.#waiting = null;
  }

  #mustWait(ticket: Ticket): boolean {
    return this.#waiting !== null || ticket > this.#context.journal.settledTicket;
  }

  #wait(ticket: Ticket, isFinal: boolean, send: () => void): void {
    this.#waiting ??= [];
    this.#waiting.push({ ticket, isFinal, send });
    if (isFinal) this.#waitingFinal++;
    this.#onWaiting();
  }

  #write(type: number, packetId: number, reasonCode: number): void {
    const firstByte = (type << 4) | (type === PacketType.PUBREL ? 2 : 0);
    this.#context.metrics.packetsSent[type]++;
    if (reasonCode === ReasonCode.Success || !this.#isVersion5) {
      this.#outbound.appendFour(firstByte, 2, packetId);
      return;
    }
    const target = this.#outbound.reserve(5);
    const offset = this.#outbound.reservedAt;
    target[offset] = firstByte;
    target[offset + 1] = 3;
    target[offset + 2] = packetId >> 8;
    target[offset + 3] = packetId & 0xff;
    target[offset + 4] = reasonCode;
  }

  #writePacket(type: number, bytes: Buffer): void {
    this.#context.metrics.packetsSent[type]++;
    this.#outbound.append(bytes, 0, bytes.length);
  }
}
