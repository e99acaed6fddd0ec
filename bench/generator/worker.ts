/**
 * One worker: takes messages from a queue, finds publisher, sequence number and group in each, and acknowledges it: all of a chunk
 * in one write, at once or after the time that the work is said to take.
 */
import { Acknowledgements } from './acknowledgements.js';
import type { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { type Protocol, PUBACK_HEADER, PUBLISH } from './frames.js';
import { propertiesEnd, unsigned16, unsigned32 } from './subscriber.js';

/** Whoever keeps the account of what workers get. */
export interface WorkAccount {
  onMessage(publisher: number, sequence: number, group: number): void;
}

export class Worker implements FrameHandler {
  readonly #protocol: Protocol;
  readonly #account: WorkAccount;
  readonly #workMs: number;
  readonly #acknowledgements: Acknowledgements;
  /** Packet ids of the chunk, if the work takes time. */
  #begun: number[] = [];
  #taken = 0;

  /** @param workMs from a delivery to its PUBACK; 0 for none */
  constructor(client: Client, protocol: Protocol, account: WorkAccount, workMs: number) {
    this.#protocol = protocol;
    this.#account = account;
    this.#workMs = workMs;
    this.#acknowledgements = new Acknowledgements(client);
    client.handTo(this);
  }

  /** Messages that it was given. */
  get taken(): number {
    return this.#taken;
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number): void {
    if ((bytes[start] as number) >> 4 !== PUBLISH) return;
    this.#taken++;
    let at = bodyStart + 2 + unsigned16(bytes, bodyStart);
    if (this.#workMs > 0) this.#begun.push(unsigned16(bytes, at));
    else this.#acknowledgements.add(PUBACK_HEADER, bytes[at] as number, bytes[at + 1] as number);
    at += 2;
    if (this.#protocol === 5) at = propertiesEnd(bytes, at);
    this.#account.onMessage(unsigned32(bytes, at), unsigned32(bytes, at + 4), unsigned32(bytes, at + 8));
  }

  onChunkEnd(): void {
    this.#acknowledgements.flush();
    if (this.#begun.length === 0) return;
    const done = this.#begun;
    this.#begun = [];
    setTimeout(() => {
      for (const packetId of done) this.#acknowledgements.add(PUBACK_HEADER, packetId >> 8, packetId & 0xff);
      this.#acknowledgements.flush();
    }, this.#workMs);
  }
}
