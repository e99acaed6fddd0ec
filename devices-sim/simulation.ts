/**
 * One run from start to end: subscribe, connect the fleet, replay, wait for what is under way, take the ledger's word,
 * clean up. Called by main.ts, which owns the terminal and the signals.
 */
import { setMaxListeners } from 'node:events';
import { type Clock, sleep } from './clock.js';
import type { Station } from './data-set.js';
import { type Fleet, planFleet } from './fleet.js';
import { Ledger } from './ledger.js';
import { Observer } from './observer.js';
import type { SimulatorOptions } from './options.js';
import type { ProgressDisplay } from './progress.js';
import { ProgressMeter } from './progress-meter.js';
import type { RunOutcome } from './report.js';
import { StallWatch } from './stall-watch.js';
import { TopicLayout } from './topic-layout.js';

/** How long the observer listens on after the last reading, for duplicates that come late. */
const SETTLE_MS = 200;
/** What the user's Ctrl-C leaves for readings under way. */
const INTERRUPTED_DRAIN_SECONDS = 2;

export interface SimulationPorts {
  readonly clock: Clock;
  readonly display: ProgressDisplay;
  readonly print: (line: string) => void;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
}

/** @throws BrokerUnreachable or BrokerRefused when the run cannot begin */
export async function runSimulation(
  options: SimulatorOptions & { readonly run: string },
  stations: readonly Station[],
  ports: SimulationPorts,
): Promise<RunOutcome> {
  const { clock, signal } = ports;
  const ledger = new Ledger();
  const topics = new TopicLayout(options.run);
  const observer = new Observer(topics, ledger, clock);
  const fleet = planFleet(options, stations, { name: options.run, topics, ledger, clock });
  try {
    await observer.open(options);
    await fleet.open(options.url, options.connectsPerSecond, signal);
    ports.print(openingLine(options, fleet));
    const replayed = await replay(options, fleet, ledger, ports);
    const lossesSoFar = observer.connectionLosses;
    const statusMessagesLeft = await cleanUp(options, fleet, observer);
    return { ...replayed, observerConnectionLosses: lossesSoFar, statusMessagesLeft };
  } catch (error) {
    await cleanUp(options, fleet, observer);
    throw error;
  }
}

function openingLine(options: SimulatorOptions & { readonly run: string }, fleet: Fleet): string {
  const protocol = { '4': 'MQTT 3.1.1', '5': 'MQTT 5', mixed: 'MQTT 3.1.1 and 5 by turns' }[options.protocol];
  return `run ${options.run}: ${fleet.size} devices connected to ${options.url.host} (${protocol}, QoS ${options.qos})`;
}

type Replayed = Omit<RunOutcome, 'observerConnectionLosses' | 'statusMessagesLeft'>;

async function replay(
  options: SimulatorOptions,
  fleet: Fleet,
  ledger: Ledger,
  { clock, display, signal }: SimulationPorts,
): Promise<Replayed> {
  const planned = options.loop ? undefined : fleet.plannedReadings;
  const stall = new StallWatch(ledger, clock);
  const meter = new ProgressMeter(ledger, clock, planned);
  const over = new AbortController();
  const stop = AbortSignal.any([signal, stall.signal]);
  // every device listens to it
  setMaxListeners(0, stop);
  const shown = showUntil(over.signal, display, meter, clock);
  const watched = stall.watchAnswers(options.patienceSeconds, over.signal);

  await fleet.replay(stop);
  const patienceSeconds = signal.aborted ? INTERRUPTED_DRAIN_SECONDS : options.patienceSeconds;
  if (!stall.signal.aborted) await stall.untilAllReceived(patienceSeconds, signal.aborted ? undefined : signal);
  const { elapsedSeconds } = meter.read();
  over.abort();
  await Promise.all([shown, watched]);
  await sleep(clock, SETTLE_MS, new AbortController().signal);

  return {
    qos: options.qos,
    planned,
    devices: fleet.size,
    elapsedSeconds,
    totals: ledger.totals(),
    accounts: ledger.accounts(),
    firstRefusal: ledger.firstRefusal,
    latency: {
      p50Ms: ledger.latency.quantileMs(0.5),
      p99Ms: ledger.latency.quantileMs(0.99),
      maxMs: ledger.latency.maxMs,
    },
    interrupted: signal.aborted,
    stalledSeconds: stall.signal.aborted ? options.patienceSeconds : undefined,
  };
}

async function showUntil(over: AbortSignal, display: ProgressDisplay, meter: ProgressMeter, clock: Clock) {
  while (!over.aborted) {
    await sleep(clock, display.everyMs, over);
    display.show(meter.read());
  }
  display.finish();
}

/** Resolves to the number of status messages that stay behind although they should not. */
async function cleanUp(options: SimulatorOptions, fleet: Fleet, observer: Observer): Promise<number> {
  await fleet.close();
  const left = options.keepStatus ? 0 : await observer.clearRetained(fleet.statusTopics);
  await observer.close();
  return left;
}
