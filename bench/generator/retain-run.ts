/** Publishes retained messages, one for each topic, at QoS 1: when the last PUBACK is there, so are they. */
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { type Protocol, PUBACK, publishFrame } from './frames.js';
import { openClients } from './open-clients.js';
import type { RetainJob, RetainResult } from './retain-job.js';
import { retainedTopic } from './retained-topics.js';
import { UsageWindow } from './usage-window.js';

const PUBLISHERS = 10;
const BATCH_MESSAGES = 100;
const WINDOW_MESSAGES = 500;
const FILLER = 'm';

export async function runRetain(job: RetainJob): Promise<RetainResult> {
  const clients = await openClients(PUBLISHERS, job.address, job.protocol, (n) => `bench-publisher-${n}`);
  const window = UsageWindow.begin(job.brokerPid);
  const deadline = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new BenchFailure(`${job.messages} messages were not retained in time`));
    setTimeout(fail, job.longestMs).unref();
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const each = Math.ceil(job.messages / PUBLISHERS);
  const finished = clients.map((client, number) => {
    const first = number * each;
    return new Retainer(client, job, first, Math.max(first, Math.min(job.messages, first + each))).finished;
  });
  await Promise.race([Promise.all(finished), deadline]);
  const usage = window.end();
  for (const client of clients) client.close();
  return { kind: 'retain', ...usage, messages: job.messages };
}

/** One publisher of the messages from `next` to `end`. */
class Retainer implements FrameHandler {
  readonly finished: Promise<void>;
  readonly #client: Client;
  readonly #protocol: Protocol;
  readonly #payload: Buffer;
  readonly #end: number;
  #next: number;
  #unacknowledged = 0;
  #packetId = 0;
  #finish: () => void = () => {};

  constructor(client: Client, { protocol, payloadBytes }: RetainJob, next: number, end: number) {
    this.#client = client;
    this.#protocol = protocol;
    this.#payload = Buffer.alloc(payloadBytes, FILLER);
    this.#next = next;
    this.#end = end;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    client.handTo(this);
    this.#sendWhatFits();
  }

  onFrame(bytes: Uint8Array, start: number): void {
    if ((bytes[start] as number) >> 4 === PUBACK) this.#unacknowledged--;
  }

  onChunkEnd(): void {
    this.#sendWhatFits();
  }

  #sendWhatFits(): void {
    while (this.#next < this.#end && this.#unacknowledged <= WINDOW_MESSAGES - BATCH_MESSAGES) {
      const frames: Buffer[] = [];
      while (frames.length < BATCH_MESSAGES && this.#next < this.#end) frames.push(this.#frameOf(this.#next++));
      this.#unacknowledged += frames.length;
      this.#client.write(Buffer.concat(frames));
    }
    if (this.#next === this.#end && this.#unacknowledged === 0) this.#finish();
  }

  #frameOf(message: number): Buffer {
    this.#payload.writeUInt32BE(message, 0);
    this.#packetId = (this.#packetId % 65_535) + 1;
    const topic = retainedTopic(message);
    const frame = publishFrame(this.#protocol, topic, 1, this.#payload, { retain: true });
    // Behind the topic, which stands behind the fixed header; the rest of the frame is known from its end.
    const packetIdAt = frame.length - this.#payload.length - (this.#protocol === 5 ? 1 : 0) - 2;
    frame.writeUInt16BE(this.#packetId, packetIdAt);
    return frame;
  }
}
