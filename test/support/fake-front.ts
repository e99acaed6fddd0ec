/** A SessionFront that notes what it is asked to send. */
import type { Message, Qos } from '../../src/core/message.js';
import type { Publication } from '../../src/core/publication.js';
import type { SessionFront } from '../../src/sessions/session-front.js';

export interface Sent {
  readonly how: 'publication' | 'message' | 'resent' | 'pubrel';
  readonly payload: string;
  readonly qos: Qos;
  readonly packetId: number;
  readonly retain: boolean;
  readonly identifiers: readonly number[] | null;
}

export class FakeFront implements SessionFront {
  readonly sent: Sent[] = [];
  hasRoom = true;
  knowsRetainAsPublished = true;
  congested = 0;
  awaitingCommit = 0;
  /** Longest payload that the client takes. */
  maximumPayload = Number.POSITIVE_INFINITY;

  /** The payloads in the order of sending, and forgets them. */
  takePayloads(): string[] {
    return this.sent.splice(0).map((one) => one.payload);
  }

  fits(message: Message): boolean {
    return message.payload.length <= this.maximumPayload;
  }

  onCongested(): void {
    this.congested++;
  }

  onAwaitingCommit(): void {
    this.awaitingCommit++;
  }

  onLoaded(): void {}

  sendPublication(publication: Publication, ...terms: [Qos, number, boolean, readonly number[] | null]): void {
    this.#note('publication', publication.message, ...terms);
  }

  sendMessage(message: Message, ...terms: [Qos, number, boolean, readonly number[] | null]): void {
    this.#note('message', message, ...terms);
  }

  resendPublish(message: Message, ...terms: [Qos, number, boolean, readonly number[] | null]): void {
    this.#note('resent', message, ...terms);
  }

  resendPubrel(packetId: number): void {
    this.sent.push({ how: 'pubrel', payload: '', qos: 2, packetId, retain: false, identifiers: null });
  }

  #note(
    how: Sent['how'],
    message: Message,
    qos: Qos,
    packetId: number,
    retain: boolean,
    identifiers: readonly number[] | null,
  ): void {
    this.sent.push({ how, payload: message.payload.toString(), qos, packetId, retain, identifiers });
  }
}
