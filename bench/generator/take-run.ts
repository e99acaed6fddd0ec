/** One worker takes messages that wait, each after the PUBACK of the one before: what a receive costs, however many wait. */
import { BenchFailure } from '../bench-failure.js';
import { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { PUBACK_HEADER, PUBLISH } from './frames.js';
import { percentileOf } from './percentiles.js';
import { Samples } from './samples.js';
import { unsigned16 } from './subscriber.js';
import type { TakeJob, TakeResult } from './take-job.js';
import { UsageWindow } from './usage-window.js';
import { WORK_FILTER } from './work-queue.js';

export async function runTake(job: TakeJob): Promise<TakeResult> {
  const client = await Client.open(job.address, 5, 'bench-worker');
  const window = UsageWindow.begin(job.brokerPid);
  const taker = new Taker(client, job);
  await Promise.all([taker.finished, client.subscribe([WORK_FILTER], 1, () => client.handTo(taker))]);
  const usage = window.end();
  client.close();
  const sorted = taker.latencies.sorted();
  const { taken } = taker;
  return { kind: 'take', ...usage, taken, p50Ms: percentileOf(sorted, 50), p99Ms: percentileOf(sorted, 99) };
}

class Taker implements FrameHandler {
  readonly latencies: Samples;
  readonly finished: Promise<void>;
  readonly #client: Client;
  readonly #warmUpMessages: number;
  readonly #total: number;
  readonly #puback = Buffer.from([PUBACK_HEADER, 2, 0, 0]);
  #finish: () => void = () => {};
  #askedAtMs = 0;
  taken = 0;

  constructor(client: Client, { warmUpMessages, messages, longestMs }: TakeJob) {
    this.#client = client;
    this.#warmUpMessages = warmUpMessages;
    this.#total = warmUpMessages + messages;
    this.latencies = new Samples(messages);
    this.finished = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new BenchFailure(`only ${this.taken} messages came`)), longestMs);
      this.#finish = () => {
        clearTimeout(timer);
        resolve();
      };
      client.onLost = (reason) => reject(new BenchFailure(reason));
    });
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number): void {
    if ((bytes[start] as number) >> 4 !== PUBLISH || this.taken === this.#total) return;
    const nowMs = performance.now();
    if (this.taken > this.#warmUpMessages) this.latencies.add(nowMs - this.#askedAtMs);
    this.taken++;
    if (this.taken === this.#total) {
      this.#finish();
      return;
    }
    const packetIdAt = bodyStart + 2 + unsigned16(bytes, bodyStart);
    this.#puback[2] = bytes[packetIdAt] as number;
    this.#puback[3] = bytes[packetIdAt + 1] as number;
    this.#askedAtMs = performance.now();
    // Four bytes that the socket takes at once: nothing else is on the way to it.
    this.#client.write(this.#puback);
  }

  onChunkEnd(): void {}
}
