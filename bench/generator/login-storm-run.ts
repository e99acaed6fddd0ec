/**
 * What others notice when a fleet logs in at once: an open loop of messages goes on all the time, first alone, then while the fleet comes,
 * then while it comes a second time. The fleet has a process of its own; this one sleeps when it has nothing to do, so that both
 * fit on one core, and it goes first there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Client } from './client.js';
import { Device } from './device.js';
import { Fleet } from './fleet.js';
import type { FleetLogin, LoginStormJob, LoginStormResult, Phase } from './login-storm-job.js';
import { LOAD_LOGIN } from './logins.js';
import { openClients } from './open-clients.js';
import { Pace } from './pace.js';
import { percentileOf } from './percentiles.js';
import { PhasedSamples } from './phased-samples.js';
import type { Samples } from './samples.js';
import { Subscriber } from './subscriber.js';
import { TimedLedger } from './timed-ledger.js';
import { type Usage, UsageWindow } from './usage-window.js';

const QOS = 1;
/** Between the storms: for the broker to notice that nobody is there any more, and to catch up. */
const PAUSE_MS = 3000;
const STEP_MS = 20;
/** What a phase may take beyond its time. */
const SLACK_MS = 5000;
/** How long is waited for the last messages. */
const LAST_ANSWER_MS = 10_000;

export async function runLoginStorm(job: LoginStormJob): Promise<LoginStormResult> {
  const { address, protocol } = job;
  const fleet = await Fleet.start();
  const choice = { login: LOAD_LOGIN };
  const clients = await openClients(job.publishers, address, protocol, (n) => `bench-publisher-${n}`, choice);
  const [subscriber] = await openClients(1, address, protocol, () => 'bench-subscriber', choice);
  if (subscriber === undefined) throw new BenchFailure('no subscriber');
  await subscriber.subscribe(['bench/#'], QOS);
  const lost = new Promise<never>((_, reject) => {
    for (const client of [...clients, subscriber]) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const result = await Promise.race([new LoginStormRun(job, fleet, clients, subscriber).run(), lost]);
  fleet.end();
  for (const client of [...clients, subscriber]) client.close();
  return result;
}

class LoginStormRun {
  readonly #job: LoginStormJob;
  readonly #fleet: Fleet;
  readonly #devices: readonly Device[];
  readonly #latencies = new PhasedSamples();
  readonly #lateness = new PhasedSamples();
  readonly #pace: Pace;
  readonly #ledger: TimedLedger;

  constructor(job: LoginStormJob, fleet: Fleet, clients: readonly Client[], subscriber: Client) {
    const { protocol, payloadBytes, messagesPerSecond } = job;
    this.#job = job;
    this.#fleet = fleet;
    this.#devices = clients.map(
      (client, publisher) =>
        new Device(client, { protocol, qos: QOS, payloadBytes, topic: `bench/${publisher}/data`, publisher }),
    );
    this.#pace = new Pace(messagesPerSecond, this.#devices, this.#lateness, 'sleeps');
    this.#ledger = new TimedLedger(this.#devices.length, this.#latencies, 0, (number) => this.#pace.dueAtMs(number));
    new Subscriber(subscriber, protocol, this.#devices, this.#ledger, 0);
  }

  async run(): Promise<LoginStormResult> {
    const { warmUpMs, quietMs } = this.#job;
    await this.#whilePacing(delay(warmUpMs));
    const quiet = await this.#measure(quietMs, () => delay(quietMs));
    const first = await this.#storm();
    await this.#fleet.leave();
    await this.#whilePacing(delay(PAUSE_MS));
    const second = await this.#storm();
    await this.#untilAnswered();
    const { duplicated, reordered, foreign } = this.#ledger;
    return {
      kind: 'login-storm',
      quiet: quiet.phase(),
      first: { ...first.phase(), login: first.outcome },
      second: { ...second.phase(), login: second.outcome },
      lost: this.#missing(),
      duplicated,
      reordered,
      foreign,
      unfinished: this.#unfinished(),
    };
  }

  #storm(): Promise<Measured<FleetLogin>> {
    const { address, protocol, connections, longestStormMs: longestMs } = this.#job;
    return this.#measure(longestMs, () => this.#fleet.logIn({ address, protocol, connections, longestMs }));
  }

  async #measure<Outcome>(longestMs: number, work: () => Promise<Outcome>): Promise<Measured<Outcome>> {
    const capacity = Math.ceil((this.#job.messagesPerSecond * (longestMs + SLACK_MS)) / 1000);
    const beganMs = performance.now();
    const latencies = this.#latencies.begin(beganMs, capacity);
    const lateness = this.#lateness.begin(beganMs, capacity);
    const window = UsageWindow.begin(this.#job.brokerPid);
    const outcome = await this.#whilePacing(work());
    const usage = window.end();
    const endedMs = performance.now();
    this.#latencies.end(endedMs);
    this.#lateness.end(endedMs);
    return { outcome, phase: () => phaseOf(usage, latencies, lateness) };
  }

  async #whilePacing<Outcome>(work: Promise<Outcome>): Promise<Outcome> {
    let isOver = false;
    const pacing = async (): Promise<void> => {
      while (!isOver) await this.#pace.until(performance.now() + STEP_MS);
    };
    const over = work.finally(() => {
      isOver = true;
    });
    const [outcome] = await Promise.all([over, pacing()]);
    return outcome;
  }

  async #untilAnswered(): Promise<void> {
    const deadlineMs = performance.now() + LAST_ANSWER_MS;
    while (performance.now() < deadlineMs && this.#missing() + this.#unfinished() > 0) await delay(STEP_MS);
  }

  #missing(): number {
    return this.#devices.reduce((sum, { sent }, publisher) => sum + this.#ledger.missing(publisher, sent), 0);
  }

  #unfinished(): number {
    return this.#devices.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0);
  }
}

interface Measured<Outcome> {
  readonly outcome: Outcome;
  /** To be called at the end of the run: messages that were due in it may come after it. */
  readonly phase: () => Phase;
}

function phaseOf(usage: Usage, latencies: Samples, lateness: Samples): Phase {
  const sorted = latencies.sorted();
  return {
    ...usage,
    p50Ms: percentileOf(sorted, 50),
    p99Ms: percentileOf(sorted, 99),
    longestMs: percentileOf(sorted, 100),
    lateP99Ms: percentileOf(lateness.sorted(), 99),
  };
}
