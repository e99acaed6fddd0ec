/** All devices of a run: who they are, how they come (a few at a time), replay (all at once) and go. */
import type { ProtocolVersion } from './broker-connection.js';
import { type Clock, sleep } from './clock.js';
import type { Station } from './data-set.js';
import { Device } from './device.js';
import type { Ledger } from './ledger.js';
import type { ProtocolChoice, SimulatorOptions } from './options.js';
import { SteadyPacer, UnpacedPacer } from './pacer.js';
import { SeededRandom } from './seeded-random.js';
import type { TopicLayout } from './topic-layout.js';

export class Fleet {
  readonly #devices: readonly Device[];
  readonly #clock: Clock;

  constructor(devices: readonly Device[], clock: Clock) {
    this.#devices = devices;
    this.#clock = clock;
  }

  get size(): number {
    return this.#devices.length;
  }

  /** Readings in one pass over all devices. */
  get plannedReadings(): number {
    return this.#devices.reduce((sum, { profile }) => sum + profile.readings.length, 0);
  }

  get statusTopics(): string[] {
    return this.#devices.map(({ profile }) => profile.statusTopic);
  }

  /**
   * Connects `connectsPerSecond` devices a second and waits until all are there.
   * @throws BrokerUnreachable or BrokerRefused, of the first device that fails
   */
  async open(url: URL, connectsPerSecond: number, signal: AbortSignal): Promise<void> {
    const opening: Promise<void>[] = [];
    const startedAt = this.#clock.now();
    for (const [index, device] of this.#devices.entries()) {
      const waitMs = startedAt + (index * 1000) / connectsPerSecond - this.#clock.now();
      if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
      if (signal.aborted) break;
      const opened = device.open(url);
      // awaited below, when the ramp is over: until then a rejection must not count as unhandled
      opened.catch(() => {});
      opening.push(opened);
    }
    await Promise.all(opening);
  }

  async replay(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.replay(signal)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.close()));
  }
}

/** Draws up the fleet: as many devices as the options ask for, each with its station, protocol and pace. */
export function planFleet(
  options: SimulatorOptions,
  stations: readonly Station[],
  run: { readonly name: string; readonly topics: TopicLayout; readonly ledger: Ledger; readonly clock: Clock },
): Fleet {
  const devices = chooseStations(stations, options.devices ?? stations.length).map((station, index) => {
    const clientId = run.topics.deviceClientId(station.name);
    const profile = {
      clientId,
      protocolVersion: protocolOf(options.protocol, index),
      stationName: station.name,
      readings: station.readings.slice(0, options.readings),
      readingsTopic: run.topics.readings(station.network, station.name),
      statusTopic: run.topics.status(clientId),
      run: run.name,
      qos: options.qos,
      inFlight: options.inFlight,
      loop: options.loop,
    };
    // a generator for each device: its times do not depend on when the others happen to draw
    const pacer = options.fullSpeed
      ? new UnpacedPacer()
      : new SteadyPacer(run.clock, new SeededRandom(options.seed + index), options.readingsPerSecond);
    return new Device(profile, run.ledger, pacer, run.clock);
  });
  return new Fleet(devices, run.clock);
}

/**
 * `count` stations, spread evenly over the data set so that a small fleet has something of each network too. Beyond the
 * end of the data set the same series are given out again, to stations named `…-2`, `…-3`.
 */
export function chooseStations(stations: readonly Station[], count: number): Station[] {
  return Array.from({ length: count }, (_, index) => {
    const place = count < stations.length ? Math.floor((index * stations.length) / count) : index % stations.length;
    const round = Math.floor(index / stations.length) + 1;
    const station = stations[place] as Station;
    return round === 1 ? station : { ...station, name: `${station.name}-${round}` };
  });
}

/** Mixed: MQTT 5 and 3.1.1 by turns. */
function protocolOf(choice: ProtocolChoice, index: number): ProtocolVersion {
  if (choice === 'mixed') return index % 2 === 0 ? 5 : 4;
  return choice === '5' ? 5 : 4;
}
