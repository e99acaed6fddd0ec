/**
 * One subscriber: finds publisher and sequence number in every PUBLISH, enters it into the ledger, tells the publisher,
 * and acknowledges as the QoS demands, in one write per chunk. This is the hot path of the generator.
 */
import { Acknowledgements } from './acknowledgements.js';
import type { Client } from './client.js';
import type { DeliveryAccount } from './delivery-account.js';
import type { FrameHandler } from './frame-reader.js';
import { type Protocol, PUBACK_HEADER, PUBCOMP_HEADER, PUBLISH, PUBREC_HEADER, PUBREL } from './frames.js';

/** What a subscriber has to know of a publisher: how much it has sent, and that it wants to hear of arrivals. */
export interface Sender {
  readonly sent: number;
  onDelivered(): void;
}

export class Subscriber implements FrameHandler {
  readonly #acknowledgements: Acknowledgements;
  readonly #protocol: Protocol;
  readonly #ledger: DeliveryAccount;
  /** By publisher number; undefined where this subscriber must not hear the publisher. */
  readonly #publishers: readonly (Sender | undefined)[];
  readonly #firstStream: number;
  /** QoS 2 messages received and not yet released, by packet id. */
  readonly #unreleased = new Map<number, Sender>();

  /** @param firstStream the ledger's number of the stream from publisher 0 to this subscriber */
  constructor(
    client: Client,
    protocol: Protocol,
    publishers: readonly (Sender | undefined)[],
    ledger: DeliveryAccount,
    firstStream: number,
  ) {
    this.#acknowledgements = new Acknowledgements(client);
    this.#protocol = protocol;
    this.#ledger = ledger;
    this.#publishers = publishers;
    this.#firstStream = firstStream;
    client.handTo(this);
  }

  /** QoS 2 exchanges that the broker has begun and not finished. */
  get unreleased(): number {
    return this.#unreleased.size;
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number, end: number): void {
    const first = bytes[start] as number;
    const type = first >> 4;
    if (type === PUBLISH) {
      this.#onPublish(bytes, (first >> 1) & 3, bodyStart, end);
    } else if (type === PUBREL) {
      this.#onPubrel(bytes[bodyStart] as number, bytes[bodyStart + 1] as number);
    }
  }

  onChunkEnd(): void {
    this.#acknowledgements.flush();
  }

  #onPublish(bytes: Uint8Array, qos: number, bodyStart: number, end: number): void {
    let at = bodyStart + 2 + unsigned16(bytes, bodyStart);
    let packetId = 0;
    if (qos > 0) {
      const header = qos === 1 ? PUBACK_HEADER : PUBREC_HEADER;
      this.#acknowledgements.add(header, bytes[at] as number, bytes[at + 1] as number);
      packetId = unsigned16(bytes, at);
      at += 2;
    }
    if (this.#protocol === 5) at = propertiesEnd(bytes, at);
    const publisherNumber = at + 8 <= end ? unsigned32(bytes, at) : -1;
    const publisher = this.#publishers[publisherNumber];
    if (publisher === undefined) {
      this.#ledger.recordForeign();
      return;
    }
    const isNew = this.#ledger.record(this.#firstStream + publisherNumber, unsigned32(bytes, at + 4), publisher.sent);
    if (qos === 2) this.#unreleased.set(packetId, publisher);
    else if (isNew) publisher.onDelivered();
  }

  #onPubrel(packetIdHigh: number, packetIdLow: number): void {
    this.#acknowledgements.add(PUBCOMP_HEADER, packetIdHigh, packetIdLow);
    const packetId = (packetIdHigh << 8) | packetIdLow;
    const publisher = this.#unreleased.get(packetId);
    if (publisher === undefined) return;
    this.#unreleased.delete(packetId);
    publisher.onDelivered();
  }
}

export function propertiesEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  let length = 0;
  let shift = 0;
  let digit: number;
  do {
    digit = bytes[at++] as number;
    length |= (digit & 0x7f) << shift;
    shift += 7;
  } while (digit > 0x7f);
  return at + length;
}

export function unsigned16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function unsigned32(bytes: Uint8Array, at: number): number {
  const value =
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number);
  return value >>> 0;
}
