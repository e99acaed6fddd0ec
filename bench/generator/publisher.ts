/**
 * One publisher: keeps the broker busy and its queues bounded. It sends whole batches, and only while fewer than a
 * window of its messages are on the way: not yet received by every subscriber (at QoS 2: released by the broker) and,
 * above QoS 0, not yet acknowledged. So a broker is never made to drop anything, and a batch is never stamped anew before the socket has taken it.
 */
import { Acknowledgements } from './acknowledgements.js';
import type { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { PUBACK, PUBCOMP, PUBREC, PUBREL_HEADER } from './frames.js';
import { PublishBatch, type PublishTemplate } from './publish-batch.js';

export interface PublisherFlow {
  /** Subscribers that receive each message. */
  readonly receivers: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  /** After this many it sends no more, a last batch filled up; undefined: until it is stopped. */
  readonly totalMessages?: number;
  /** Called once, when all of `totalMessages` have been acknowledged. */
  readonly onFinished?: () => void;
}

export class Publisher implements FrameHandler {
  readonly #client: Client;
  readonly #pubrels: Acknowledgements;
  readonly #batches: readonly PublishBatch[];
  readonly #batchMessages: number;
  readonly #windowMessages: number;
  readonly #receivers: number;
  readonly #acknowledged: boolean;
  readonly #totalMessages: number;
  #onFinished: (() => void) | undefined;
  #running = false;
  #sent = 0;
  #unacknowledged = 0;
  #delivered = 0;
  /** With this many deliveries there is room for the next batch. */
  #roomAtDelivered = 0;
  #nextBatch = 0;

  constructor(client: Client, template: PublishTemplate, flow: PublisherFlow) {
    this.#client = client;
    this.#pubrels = new Acknowledgements(client);
    this.#windowMessages = Math.min(flow.windowMessages, client.receiveMaximum);
    this.#batchMessages = Math.min(flow.batchMessages, this.#windowMessages);
    this.#receivers = flow.receivers;
    this.#acknowledged = template.qos > 0;
    this.#totalMessages = flow.totalMessages ?? Number.POSITIVE_INFINITY;
    this.#onFinished = flow.onFinished;
    const batches = Math.ceil(this.#windowMessages / this.#batchMessages) + 1;
    this.#batches = Array.from({ length: batches }, () => new PublishBatch(template, this.#batchMessages));
    client.handTo(this);
  }

  get sent(): number {
    return this.#sent;
  }

  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  start(): void {
    this.#running = true;
    this.#sendWhatFits();
  }

  stop(): void {
    this.#running = false;
  }

  /** One more subscriber has received one more message of this publisher; at QoS 2, the exchange is complete. */
  onDelivered(): void {
    if (++this.#delivered >= this.#roomAtDelivered) this.#sendWhatFits();
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number): void {
    const type = (bytes[start] as number) >> 4;
    if (type === PUBREC) {
      this.#pubrels.add(PUBREL_HEADER, bytes[bodyStart] as number, bytes[bodyStart + 1] as number);
    } else if (type === PUBACK || type === PUBCOMP) {
      this.#unacknowledged--;
    }
  }

  onChunkEnd(): void {
    this.#pubrels.flush();
    if (this.#acknowledged) this.#sendWhatFits();
    if (this.#sent >= this.#totalMessages && this.#unacknowledged === 0) {
      this.#onFinished?.();
      this.#onFinished = undefined;
    }
  }

  #sendWhatFits(): void {
    const fits = this.#windowMessages - this.#batchMessages;
    while (this.#running && this.#delivered >= this.#roomAtDelivered && this.#unacknowledged <= fits) {
      if (this.#sent >= this.#totalMessages) return;
      const batch = this.#batches[this.#nextBatch] as PublishBatch;
      this.#nextBatch = (this.#nextBatch + 1) % this.#batches.length;
      const bytes = batch.stamp(this.#sent);
      this.#sent += this.#batchMessages;
      if (this.#acknowledged) this.#unacknowledged += this.#batchMessages;
      this.#roomAtDelivered = (this.#sent - fits) * this.#receivers;
      this.#client.write(bytes);
    }
  }
}
