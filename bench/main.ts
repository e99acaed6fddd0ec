/** `npm run bench`: measures the broker beside its peers. docs/benchmarks.md says what the figures mean. */
import { writeFileSync } from 'node:fs';
import { BenchFailure } from './bench-failure.js';
import { casesOf, peersFor, type Run, runCase } from './benchmark.js';
import { describeMachine } from './machine.js';
import { type BenchOptions, parseOptions, USAGE } from './options.js';
import { choosePeers } from './peers/choose-peers.js';
import { pinning } from './pinning.js';
import { idleTable, loadTable } from './report.js';
import { type IdleRow, idleRows, type LoadRow, loadRows } from './summary.js';

async function bench(options: BenchOptions): Promise<void> {
  const machine = describeMachine();
  const pinned = pinning(options.pin);
  const peers = choosePeers(options, (name, reason) => console.log(`skipping ${name}: ${reason}`));
  if (peers.length === 0) throw new BenchFailure('no peer to measure');
  console.log(`${machine.cpuModel}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; ${machine.date}`);
  console.log(`MQTT ${options.protocol === 5 ? '5' : '3.1.1'}, ${options.payloadBytes} bytes; ${pinned.description}`);

  const cases = casesOf(options);
  const total = cases.reduce((sum, each) => sum + peersFor(each, peers).length * options.runs, 0);
  const runs: Run[] = [];
  const medians: (LoadRow | IdleRow)[] = [];
  for (const benchCase of cases) {
    const own = await runCase(benchCase, peers, options, pinned, (run) => {
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
  if (options.jsonFile !== undefined) {
    const result = { machine, method: { ...options, pinning: pinned.description }, medians, runs };
    writeFileSync(options.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
  }
  if (runs.some((run) => run.outcome.kind === 'failed')) process.exitCode = 1;
}

function describe(run: Run): string {
  const { outcome } = run;
  const title = `${run.scenario}${run.qos === undefined ? '' : ` QoS ${run.qos}`} ${run.peer}`;
  if (outcome.kind === 'failed') return `${title}: failed: ${outcome.reason}`;
  if (outcome.kind === 'idle') return `${title}: ${outcome.connections} connections`;
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
