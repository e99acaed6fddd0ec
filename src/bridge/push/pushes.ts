/** All queues whose messages are sent to webhooks, from when the broker serves until it stops. */
import type { Clock } from '../../core/clock.js';
import { TimingWheel } from '../../core/timing-wheel.js';
import type { WorkSource } from '../../core/work-source.js';
import { AllowedTargets } from './allowed-targets.js';
import type { TargetState } from './circuit-breaker.js';
import { HostLookup, type Resolver, systemResolver } from './host-lookup.js';
import type { PropertiesReader } from './message-fields.js';
import { PUSH_FAILURES, type PushFailure } from './push-counters.js';
import { PushEndpoint } from './push-endpoint.js';
import type { PushTarget } from './push-target.js';
import { type LastFailure, type PushLog, PushWorker } from './push-worker.js';

export interface PushSettings {
  /** Hosts and address ranges that requests may go to; empty for every public address. */
  readonly allow: readonly string[];
  /** By name of the queue. */
  readonly targets: ReadonlyMap<string, PushTarget>;
  /** Who resolves names. Default: the system. */
  readonly resolver?: Resolver;
  /** The time of day, by which receivers judge signatures. Default: the clock's. */
  readonly timeOfDayMs?: () => number;
}

export const NO_PUSHES: PushSettings = { allow: [], targets: new Map() };

/** What the requests need of the rest of the program. */
export interface PushSurroundings {
  readonly clock: Clock;
  readonly log: PushLog;
  readonly userAgent: string;
  readonly propertiesOf: PropertiesReader;
}

/** What is told of one target. Counts are since the start. */
export interface PushStatistics {
  /** Scheme, host and port. */
  readonly target: string;
  readonly state: TargetState;
  readonly inFlight: number;
  readonly requests: number;
  readonly delivered: number;
  readonly throttled: number;
  readonly gone: number;
  readonly abandoned: number;
  readonly failed: Readonly<Record<PushFailure, number>>;
  readonly lastFailure: LastFailure | null;
}

export class Pushes {
  readonly #settings: PushSettings;
  readonly #source: WorkSource;
  readonly #surroundings: PushSurroundings;
  readonly #wheel: TimingWheel;
  readonly #lookup: HostLookup;
  readonly #workers = new Map<string, PushWorker>();

  /** @throws InvalidArgument for a list that cannot be understood */
  constructor(settings: PushSettings, source: WorkSource, surroundings: PushSurroundings) {
    this.#settings = settings;
    this.#source = source;
    this.#surroundings = surroundings;
    this.#wheel = new TimingWheel(surroundings.clock);
    this.#lookup = new HostLookup(new AllowedTargets(settings.allow), settings.resolver ?? systemResolver);
  }

  /** Begins to take messages from the queues. */
  start(): void {
    const { clock, log, userAgent, propertiesOf } = this.#surroundings;
    const { targets, timeOfDayMs = () => clock.now() } = this.#settings;
    for (const [queue, target] of targets) {
      const endpoint = new PushEndpoint(target, this.#lookup, userAgent, propertiesOf, timeOfDayMs);
      const worker = new PushWorker(queue, endpoint, this.#source, clock, this.#wheel, log);
      this.#workers.set(queue, worker);
      worker.start();
    }
  }

  /** Takes no more, and gives what is in flight so long to be answered; what is not goes back to its queue. */
  async stop(graceMs: number): Promise<void> {
    const workers = [...this.#workers.values()];
    if (graceMs > 0 && workers.some(({ inFlight }) => inFlight > 0)) {
      let cancel = (): void => {};
      const graceOver = new Promise<void>((resolve) => {
        cancel = this.#surroundings.clock.schedule(graceMs, resolve);
      });
      await Promise.race([Promise.all(workers.map((worker) => worker.drain())), graceOver]);
      cancel();
    }
    for (const worker of workers) worker.close();
    this.#wheel.stop();
  }

  /** @returns null if the queue is not pushed */
  statisticsOf(queue: string): PushStatistics | null {
    const worker = this.#workers.get(queue);
    if (worker === undefined) return null;
    const { origin, state, inFlight, counters, lastFailure } = worker;
    const { requests, delivered, throttled, gone, abandoned } = counters;
    const failed = PUSH_FAILURES.map((failure) => [failure, counters.failuresOf(failure)] as const);
    return {
      target: origin,
      state,
      inFlight,
      requests,
      delivered,
      throttled,
      gone,
      abandoned,
      failed: Object.fromEntries(failed) as Record<PushFailure, number>,
      lastFailure,
    };
  }

  /** What is told below the figures of each queue. */
  *figures(): Generator<readonly [topic: string, value: number]> {
    for (const queue of this.#workers.keys()) {
      const statistics = this.statisticsOf(queue);
      if (statistics === null) continue;
      const { state, inFlight, requests, delivered, throttled, gone, failed } = statistics;
      const stem = `queues/${queue}/push`;
      yield [`${stem}/up`, state === 'up' ? 1 : 0];
      yield [`${stem}/in-flight`, inFlight];
      yield [`${stem}/requests`, requests];
      yield [`${stem}/delivered`, delivered];
      yield [`${stem}/throttled`, throttled];
      yield [`${stem}/gone`, gone];
      for (const failure of PUSH_FAILURES) yield [`${stem}/failed/${failure}`, failed[failure]];
    }
  }
}
