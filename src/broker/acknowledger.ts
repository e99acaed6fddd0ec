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

/** An answer that waits, packed: type, packet identifier and reason code. */
const TYPE_SHIFT = 24;
const IDENTIFIER_SHIFT = 8;
/** Instead of a packed one: the next of the packets that are encoded already. */
const ENCODED = 0;
/** Numbers of answers that have left, from which on the array is cut; a shorter one is kept for the next answers. */
const CUT_FROM = 64;

/** Whose answers they are. */
export interface AnswerHost {
  /** An answer has to wait. */
  onAnswerWaiting(): void;
}

interface EncodedAnswer {
  readonly type: number;
  readonly bytes: Buffer;
}

export class Acknowledger {
  readonly #context: BrokerContext;
  readonly #outbound: OutboundBuffer;
  readonly #isVersion5: boolean;
  readonly #host: AnswerHost;
  /** Pairs of ticket and answer, from `#next` to `#end`: no object for each, and the array stays for the next ones. Null until one has waited. */
  #waiting: number[] | null = null;
  #next = 0;
  #end = 0;
  /** SUBACK and UNSUBACK that wait, in order. */
  #packets: EncodedAnswer[] | null = null;
  #waitingFinal = 0;

  constructor(context: BrokerContext, outbound: OutboundBuffer, isVersion5: boolean, host: AnswerHost) {
    this.#context = context;
    this.#outbound = outbound;
    this.#isVersion5 = isVersion5;
    this.#host = host;
  }

  /** Answers that wait for the journal. */
  get waitingCount(): number {
    return (this.#end - this.#next) / 2;
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
    if (isFinal(type, reasonCode)) this.#waitingFinal++;
    this.#wait(ticket, (type << TYPE_SHIFT) | (packetId << IDENTIFIER_SHIFT) | reasonCode);
  }

  /** Answers with a packet that is encoded already. */
  send(ticket: Ticket, type: number, bytes: Buffer): void {
    if (!this.#mustWait(ticket)) {
      this.#writePacket(type, bytes);
      return;
    }
    this.#packets ??= [];
    this.#packets.push({ type, bytes });
    this.#wait(ticket, ENCODED);
  }

  /** The journal has settled more. */
  onSettled(): void {
    const settled = this.#context.journal.settledTicket;
    const waiting = this.#waiting;
    if (waiting === null) return;
    while (this.#next < this.#end && (waiting[this.#next] as Ticket) <= settled) {
      const answer = waiting[this.#next + 1] as number;
      this.#next += 2;
      this.#answer(answer);
    }
    const isCut = this.#next >= CUT_FROM && this.#next * 2 >= this.#end;
    if (this.#next !== this.#end && !isCut) return;
    if (waiting.length > CUT_FROM) this.#waiting = waiting.slice(this.#next, this.#end);
    this.#end -= this.#next;
    this.#next = 0;
  }

  #answer(answer: number): void {
    if (answer === ENCODED) {
      const packet = this.#packets?.shift();
      if (packet !== undefined) this.#writePacket(packet.type, packet.bytes);
      return;
    }
    const type = answer >> TYPE_SHIFT;
    const reasonCode = answer & 0xff;
    if (isFinal(type, reasonCode)) this.#waitingFinal--;
    this.#write(type, (answer >> IDENTIFIER_SHIFT) & 0xffff, reasonCode);
  }

  #mustWait(ticket: Ticket): boolean {
    return this.#next < this.#end || ticket > this.#context.journal.settledTicket;
  }

  #wait(ticket: Ticket, answer: number): void {
    this.#waiting ??= [];
    this.#waiting[this.#end++] = ticket;
    this.#waiting[this.#end++] = answer;
    this.#host.onAnswerWaiting();
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

/** It ends the exchange of a PUBLISH of the client. */
function isFinal(type: number, reasonCode: number): boolean {
  if (type === PacketType.PUBACK) return true;
  if (type === PacketType.PUBCOMP) return reasonCode === ReasonCode.Success;
  return type === PacketType.PUBREC && reasonCode >= ReasonCode.UnspecifiedError;
}
