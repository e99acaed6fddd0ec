/**
 * How many messages a second came, were received and were acknowledged lately: exponentially weighted means over one and five minutes
 * (as the load average of Unix), from the queue's counters. They are brought up to date in steps of five seconds by whoever comes by, and
 * so cost a comparison; a queue where nothing happens has no timer.
 */
import type { QueueCounters } from './queue-counters.js';

/** Messages per second. */
export interface Rate {
  readonly lastMinute: number;
  readonly lastFiveMinutes: number;
}

export interface QueueRates {
  readonly enqueued: Rate;
  readonly received: Rate;
  readonly acknowledged: Rate;
}

const STEP_MS = 5000;
const MINUTES = [1, 5] as const;
const NONE: Rate = { lastMinute: 0, lastFiveMinutes: 0 };

/** A mean that does not count the time before it began. */
class DecayingMean {
  readonly #part: number;
  #mean = 0;
  #weight = 0;

  constructor(minutes: number) {
    this.#part = 1 - Math.exp(-STEP_MS / (minutes * 60_000));
  }

  get value(): number {
    return this.#weight === 0 ? 0 : this.#mean / this.#weight;
  }

  /** @param steps that have passed; all of it came in the first of them */
  add(perSecond: number, steps: number): void {
    const kept = (1 - this.#part) ** (steps - 1);
    this.#mean = (this.#mean + this.#part * (perSecond - this.#mean)) * kept;
    this.#weight = 1 - (1 - this.#weight) * (1 - this.#part) ** steps;
  }
}

class Meter {
  readonly #means = MINUTES.map((minutes) => new DecayingMean(minutes));
  #counted = 0;

  update(count: number, steps: number): void {
    const perSecond = ((count - this.#counted) * 1000) / STEP_MS;
    this.#counted = count;
    for (const mean of this.#means) mean.add(perSecond, steps);
  }

  get rate(): Rate {
    const [lastMinute = 0, lastFiveMinutes = 0] = this.#means.map(({ value }) => value);
    return { lastMinute, lastFiveMinutes };
  }
}

export class RateMeters {
  readonly #counters: QueueCounters;
  #stepEndsAtMs: number;
  /** Made with the first step: most queues of many see no message for long. */
  #meters: readonly [enqueued: Meter, received: Meter, acknowledged: Meter] | null = null;

  constructor(counters: QueueCounters, nowMs: number) {
    this.#counters = counters;
    this.#stepEndsAtMs = nowMs + STEP_MS;
  }

  /** Called before something is counted. */
  update(nowMs: number): void {
    if (nowMs >= this.#stepEndsAtMs) this.#step(nowMs);
  }

  read(nowMs: number): QueueRates {
    this.update(nowMs);
    const [enqueued, received, acknowledged] = this.#meters ?? [];
    return {
      enqueued: enqueued?.rate ?? NONE,
      received: received?.rate ?? NONE,
      acknowledged: acknowledged?.rate ?? NONE,
    };
  }

  #step(nowMs: number): void {
    const steps = 1 + Math.floor((nowMs - this.#stepEndsAtMs) / STEP_MS);
    this.#stepEndsAtMs += steps * STEP_MS;
    this.#meters ??= [new Meter(), new Meter(), new Meter()];
    const [enqueued, received, acknowledged] = this.#meters;
    enqueued.update(this.#counters.enqueued, steps);
    received.update(this.#counters.receives, steps);
    acknowledged.update(this.#counters.acknowledged, steps);
  }
}
