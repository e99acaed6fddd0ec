/** `npm run bench`: measures the broker beside its peers. docs/benchmarks.md says what the figures mean. */
import { writeFileSync } from 'node:fs';
import { BenchFailure } from './bench-failure.js';
import type { BenchOptions } from './bench-options.js';
import { type Case, casesOf, peersFor, type Run, runCase } from './benchmark.js';
import {
  type DurableRow,
  type DurableRun,
  peersOf as durablePeersOf,
  durableRows,
  runDurable,
} from './durable/durable-benchmark.js';
import { BED_SCENARIOS } from './durable/durable-scenarios.js';
import { durableTable } from './durable/durable-table.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE } from './options.js';
import { choosePeers, type PeerChoice } from './peers/choose-peers.js';
import { type Pinning, pinning } from './pinning.js';
import { idleTable, loadTable } from './report.js';
import { DURABLE_FAN_IN, TOPICS } from './scenarios.js';
import { type IdleRow, idleRows, type LoadRow, loadRows } from './summary.js';
import { runTopicMatching } from './topic-matching.js';

async function bench(options: BenchOptions): Promise<void> {
  if (options.scenarios.includes(TOPICS)) await runTopicMatching((line) => console.log(line));
  if (options.scenarios.every((name) => name === TOPICS)) return;
  const machine = describeMachine();
  const pinned = pinning(options.pin);
  const peers = choosePeers(options, (name, reason) => console.log(`skipping ${name}: ${reason}`));
  if (peers.volatile.length + peers.durable.length === 0) throw new BenchFailure('no peer to measure');
  console.log(`${machine.cpuModel}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; ${machine.date}`);
  console.log(`MQTT ${options.protocol === 5 ? '5' : '3.1.1'}, ${options.payloadBytes} bytes; ${pinned.description}`);

  const loads = await runLoads(options, peers, pinned);
  const durables = await runDurables(options, peers, pinned);
  const runs = [...loads.runs, ...durables.runs];
  if (options.jsonFile !== undefined) {
    const medians = [...loads.medians, ...durables.medians];
    const result = { machine, method: { ...options, pinning: pinned.description }, medians, runs };
    writeFileSync(options.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
  }
  if (loads.runs.some((run) => run.outcome.kind === 'failed')) process.exitCode = 1;
  if (durables.runs.some((run) => run.failure !== undefined)) process.exitCode = 1;
}

async function runLoads(
  options: BenchOptions,
  peers: PeerChoice,
  pinned: Pinning,
): Promise<{ runs: Run[]; medians: (LoadRow | IdleRow)[] }> {
  const cases = casesOf(options);
  const peersOf = (benchCase: Case) =>
    peersFor(benchCase, benchCase.scenario === DURABLE_FAN_IN ? peers.durable : peers.volatile);
  const total = cases.reduce((sum, each) => sum + peersOf(each).length * options.runs, 0);
  const runs: Run[] = [];
  const medians: (LoadRow | IdleRow)[] = [];
  for (const benchCase of cases) {
    const own = await runCase(benchCase, peersOf(benchCase), options, pinned, (run) => {
      runs.push(run);
      console.error(`[${runs.length}/${total}] ${describe(run)}`);
    });
    if (benchCase.qos === undefined) {
      const rows = idleRows(own);
      medians.push(...rows);
      console.log(`\n${idleTable(rows)}`);
    } else {
      const rows = loadRows(own);
      medians.push(...rows);
      console.log(`\n${loadTable(rows)}`);
    }
  }
  return { runs, medians };
}

async function runDurables(
  options: BenchOptions,
  peers: PeerChoice,
  pinned: Pinning,
): Promise<{ runs: DurableRun[]; medians: DurableRow[] }> {
  const scenarios = BED_SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  const total = scenarios.reduce((sum, each) => sum + durablePeersOf(each, peers.durable).length * options.runs, 0);
  const runs: DurableRun[] = [];
  const medians: DurableRow[] = [];
  for (const scenario of scenarios) {
    const own = await runDurable(scenario, durablePeersOf(scenario, peers.durable), options, pinned, (run) => {
      runs.push(run);
      console.error(`[durable ${runs.length}/${total}] ${run.scenario} ${run.peer}: ${run.failure ?? 'done'}`);
    });
    const rows = durableRows(scenario, own);
    medians.push(...rows);
    if (scenario.method !== undefined) console.log(`\n${scenario.name}: ${scenario.method}`);
    console.log(`\n${durableTable(scenario, rows)}`);
  }
  return { runs, medians };
}

function describe(run: Run): string {
  const { outcome } = run;
  const title = `${run.scenario}${run.qos === undefined ? '' : ` QoS ${run.qos}`} ${run.peer}`;
  if (outcome.kind === 'failed') return `${title}: failed: ${outcome.reason}`;
  if (outcome.kind === 'idle') return `${title}: ${outcome.connections} connections`;
  if (outcome.kind !== 'load') return title;
  return `${title}: ${Math.round(outcome.delivered / outcome.seconds).toLocaleString('en-US')} msgs/s`;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof BenchFailure || error instanceof TypeError ? 2 : 1;
}
