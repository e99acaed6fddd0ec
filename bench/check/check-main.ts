/**
 * `npm run bench:check`: short runs beside a peer, compared with bench/recorded-ratios.json; ends with 1 when a message has become dearer
 * than the tolerance allows. `-- --record` writes that file instead.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { alignedTable, UNKNOWN } from '../aligned-table.js';
import { BenchFailure } from '../bench-failure.js';
import type { BenchOptions } from '../bench-options.js';
import { describeMachine } from '../machine.js';
import { parseOptions } from '../options.js';
import { MILLRACE } from '../peers/millrace.js';
import { pinning } from '../pinning.js';
import { runBench, type ScenarioReport } from '../run-bench.js';
import { type RecordedRatios, readRecordedRatios, writeRecordedRatios } from './recorded-ratios.js';
import { type Comparison, type CostRatio, compareRatios, hasRegressed } from './regression-check.js';

/** From npm, and so wherever the tests are. */
const PEER = 'aedes';
const FILE = fileURLToPath(new URL('../../../bench/recorded-ratios.json', import.meta.url));
const LOADS: readonly (readonly [scenario: string, qos: string])[] = [
  ['fan-in', '0,1'],
  ['fan-out', '0'],
  ['pairs', '0'],
];
const USAGE = `npm run bench:check -- [options]

  --record                write the ratios of this machine instead of comparing with them
  --recorded FILE         where they are (default: bench/recorded-ratios.json)
  --tolerance PCT         how much dearer a message may have become (default: 25)
  --runs N                rounds (default: 3)
  --seconds S             measured time of a run (default: 2)
  --millrace-command LINE instead of the built command line, as in npm run bench

Ends with 0 when nothing has become dearer, with 1 when something has or could not be measured, and with 2 when there is
nothing to compare with or an option makes no sense.
`;

async function check(): Promise<void> {
  const { values } = parseArgs({
    options: {
      record: { type: 'boolean', default: false },
      recorded: { type: 'string', default: FILE },
      tolerance: { type: 'string', default: '25' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      'millrace-command': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const tolerance = Number(values.tolerance) / 100;
  if (!(tolerance > 0)) throw new BenchFailure(`--tolerance takes per cent, not '${values.tolerance}'`);
  // Before anything is measured: minutes are not to end with nothing to compare with.
  const recorded = values.record ? undefined : readRecordedRatios(values.recorded, PEER);
  const command = values['millrace-command'];
  const measured: CostRatio[] = [];
  for (const [scenario, qos] of LOADS) {
    const load = ['--scenario', scenario, '--qos', qos, '--peer', `${MILLRACE},${PEER}`];
    if (command !== undefined) load.push('--millrace-command', command);
    const options = parseOptions([...load, '--runs', values.runs, '--seconds', values.seconds]) as BenchOptions;
    const { reports } = await runBench(options, pinning(true), {
      print: (text) => console.log(text),
      tell: (line) => console.error(line),
    });
    measured.push(...reports.flatMap(ratiosOf));
  }
  if (recorded === undefined) record(values.recorded, measured);
  else judge(recorded, measured, tolerance);
}

function ratiosOf({ scenario, rows }: ScenarioReport): CostRatio[] {
  return rows
    .filter(({ peer }) => peer === MILLRACE)
    .flatMap(({ qos, figures }) => {
      const own = figures['cpuMicroseconds'];
      const theirs = rows.find((row) => row.peer === PEER && row.qos === qos)?.figures['cpuMicroseconds'];
      if (own === undefined || theirs === undefined) return [];
      return [{ name: `${scenario.name} QoS ${qos}`, timesPeer: Number((theirs / own).toPrecision(4)) }];
    });
}

function record(file: string, ratios: readonly CostRatio[]): void {
  const { cpuModel, cores, node, date } = describeMachine();
  writeRecordedRatios(file, { peer: PEER, machine: `${cpuModel}, ${cores} cores, Node ${node}`, date, ratios });
  console.log(`\nrecorded: ${ratios.map(({ name, timesPeer }) => `${name} ${timesPeer} ×`).join(', ')}`);
}

function judge(recorded: RecordedRatios, measured: readonly CostRatio[], tolerance: number): void {
  const comparisons = compareRatios(recorded.ratios, measured, tolerance);
  console.log(`\nrecorded on ${recorded.machine}, ${recorded.date.slice(0, 10)}`);
  console.log(comparisonTable(comparisons));
  if (!hasRegressed(comparisons)) return;
  console.log(`\ndearer than ${Math.round(tolerance * 100)} % above what was recorded, or not measured`);
  process.exitCode = 1;
}

function comparisonTable(comparisons: readonly Comparison[]): string {
  const columns = [
    { heading: 'load', alignment: 'left' },
    { heading: `recorded, ${PEER} by ${MILLRACE}`, alignment: 'right' },
    { heading: 'now', alignment: 'right' },
    { heading: 'cost by then', alignment: 'right' },
    { heading: '', alignment: 'left' },
  ] as const;
  const ratio = (value: number | undefined): string => (value === undefined ? UNKNOWN : `${value.toFixed(2)} ×`);
  const cells = comparisons.map(({ name, recorded, measured, costBefore, verdict }) => [
    name,
    ratio(recorded),
    ratio(measured),
    ratio(costBefore),
    verdict,
  ]);
  return alignedTable(columns, cells).join('\n');
}

try {
  await check();
} catch (error) {
  console.error(`bench:check: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof BenchFailure || error instanceof TypeError ? 2 : 1;
}
