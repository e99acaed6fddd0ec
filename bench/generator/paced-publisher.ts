/**
 * One publisher of an open loop: it sends when it is told to, however many are unanswered, and notes how long each
 * PUBACK took from the moment the message was due. A broker that stalls is charged for all that was due meanwhile.
 */
import type { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { PUBACK } from './frames.js';
import { PublishBatch, type PublishTemplate } from './publish-batch.js';

/** Unanswered messages that it can tell apart; a power of two below the number of packet ids. */
const PLACES = 16_384;

export class PacedPublisher implements FrameHandler {
  readonly #client: Client;
  readonly #single: PublishBatch;
  readonly #onLatency: (dueAtMs: number, latencyMs: number) => void;
  readonly #dueAtMs = new Float64Array(PLACES);
  #sent = 0;
  #unacknowledged = 0;

  /** @param onLatency called for each PUBACK with the moment the message was due and how long the answer took */
  constructor(client: Client, template: PublishTemplate, onLatency: (dueAtMs: number, latencyMs: number) => void) {
    this.#client = client;
    this.#single = new PublishBatch(template, 1);
    this.#onLatency = onLatency;
    client.handTo(this);
  }

  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** @returns false when the broker is so far behind that nothing was sent */
  offerMessage(dueAtMs: number): boolean {
    if (this.#unacknowledged >= PLACES / 2) return false;
    this.#dueAtMs[placeOf((this.#sent % 65_535) + 1)] = dueAtMs;
    // A copy: unlike a window of batches, nothing here waits until the socket has taken the bytes.
    this.#client.write(Buffer.from(this.#single.stamp(this.#sent)));
    this.#sent++;
    this.#unacknowledged++;
    return true;
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number): void {
    if ((bytes[start] as number) >> 4 !== PUBACK) return;
    const packetId = ((bytes[bodyStart] as number) << 8) | (bytes[bodyStart + 1] as number);
    const dueAtMs = this.#dueAtMs[placeOf(packetId)] as number;
    this.#unacknowledged--;
    this.#onLatency(dueAtMs, performance.now() - dueAtMs);
  }

  onChunkEnd(): void {}
}

function placeOf(packetId: number): number {
  return packetId & (PLACES - 1);
}
