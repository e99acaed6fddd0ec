/** A fleet connects, leaves, and connects again, as fast as the broker takes it. */
import { setTimeout as delay } from 'node:timers/promises';
import { percentileOf } from './percentiles.js';
import { Samples } from './samples.js';
import {
  type MakeStormFleet,
  type StormConnection,
  type StormFleet,
  type StormOwner,
  stormFleet,
} from './storm-fleet.js';
import type { StormJob, StormResult } from './storm-job.js';
import type { TcpHandles } from './tcp-handles.js';
import { UsageWindow } from './usage-window.js';

/** For the broker to notice that nobody is there any more. */
const PAUSE_MS = 2000;
/** How often is looked for connections that have waited too long for their answer. */
const LOOK_MS = 1000;

/** @param handles undefined where Node does not have them */
export async function runStorm(
  job: StormJob,
  handles: TcpHandles | undefined,
  pauseMs = PAUSE_MS,
): Promise<StormResult> {
  const makeFleet = stormFleet(job, handles);
  const first = new Storm(job, makeFleet);
  await first.run();
  first.leave();
  await delay(pauseMs);
  const window = UsageWindow.begin(job.brokerPid);
  const second = new Storm(job, makeFleet);
  await second.run();
  const usage = window.end();
  second.leave();
  const sorted = second.latencies.sorted();
  return {
    kind: 'storm',
    ...usage,
    connected: second.connected,
    refused: first.refused + second.refused,
    firstPerSecond: first.connected / first.seconds,
    p50Ms: percentileOf(sorted, 50),
    p99Ms: percentileOf(sorted, 99),
  };
}

/** So many places, each taken again as soon as its connect has its answer. */
class Storm implements StormOwner {
  readonly latencies: Samples;
  readonly #job: StormJob;
  readonly #fleet: StormFleet;
  readonly #connected = new Set<StormConnection>();
  #opened = 0;
  #answered = 0;
  #refused = 0;
  #seconds = 0;
  #onEnd: () => void = () => {};

  constructor(job: StormJob, makeFleet: MakeStormFleet) {
    this.latencies = new Samples(job.connections);
    this.#job = job;
    this.#fleet = makeFleet(this);
  }

  get connected(): number {
    return this.#connected.size;
  }

  /** And lost: whoever is not connected. */
  get refused(): number {
    return this.#refused;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** Resolves when every connect has its answer. */
  async run(): Promise<void> {
    const beganMs = performance.now();
    const timer = setInterval(() => this.#fleet.giveUpLate(), LOOK_MS);
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      for (let place = 0; place < this.#job.atOnce; place++) this.#openNext();
    });
    clearInterval(timer);
    this.#seconds = (performance.now() - beganMs) / 1000;
  }

  leave(): void {
    for (const connection of this.#connected) connection.close();
  }

  onAccepted(connection: StormConnection, milliseconds: number): void {
    this.latencies.add(milliseconds);
    this.#connected.add(connection);
    this.#onAnswer();
  }

  onFailed(connection?: StormConnection): void {
    this.#refused++;
    const wasConnected = connection !== undefined && this.#connected.delete(connection);
    if (!wasConnected) this.#onAnswer();
  }

  #onAnswer(): void {
    if (++this.#answered === this.#job.connections) this.#onEnd();
    else this.#openNext();
  }

  #openNext(): void {
    if (this.#opened < this.#job.connections) this.#fleet.open(this.#opened++);
  }
}
