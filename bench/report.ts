/** Prints rows as tables for people. A row that went wrong in any way says so below its table. */
import { alignedTable, type Column, UNKNOWN } from './aligned-table.js';
import { BUSY, type IdleRow, type LoadRow, limitedByGenerator, limitedByNeither, timesMillrace } from './summary.js';

const LOAD_COLUMNS: readonly Column[] = [
  { heading: 'scenario', alignment: 'left' },
  { heading: 'QoS', alignment: 'right' },
  { heading: 'peer', alignment: 'left' },
  { heading: 'msgs/s', alignment: 'right' },
  { heading: 'acknowledged/s', alignment: 'right' },
  { heading: 'CPU µs/msg', alignment: 'right' },
  { heading: '× millrace', alignment: 'right' },
  { heading: 'lost/dup/reordered', alignment: 'right' },
  { heading: 'broker busy', alignment: 'right' },
  { heading: 'RSS peak MB', alignment: 'right' },
  { heading: 'generator µs/msg', alignment: 'right' },
  { heading: 'generator busy', alignment: 'right' },
];

const IDLE_COLUMNS: readonly Column[] = [
  { heading: 'peer', alignment: 'left' },
  { heading: 'connections', alignment: 'right' },
  { heading: 'RSS before MB', alignment: 'right' },
  { heading: 'RSS after MB', alignment: 'right' },
  { heading: 'KB/connection', alignment: 'right' },
  { heading: '× millrace', alignment: 'right' },
  { heading: 'connections/s', alignment: 'right' },
];

/** @param rows of one case, so that ratios compare like with like */
export function loadTable(rows: readonly LoadRow[]): string {
  const cells = rows.map((row) => [
    row.scenario,
    String(row.qos),
    row.peer,
    whole(row.deliveriesPerSecond),
    row.qos === 0 ? UNKNOWN : whole(row.acknowledgedPerSecond),
    decimal(row.cpuMicroseconds),
    ratio(timesMillrace(row, rows, (each) => each.cpuMicroseconds)),
    `${row.lost}/${row.duplicated}/${row.reordered}`,
    percent(row.brokerBusy),
    megabytes(row.peakResidentBytes),
    decimal(row.generatorCpuMicroseconds),
    percent(row.generatorBusy),
  ]);
  return [...alignedTable(LOAD_COLUMNS, cells), ...rows.flatMap(warningsOf)].join('\n');
}

export function idleTable(rows: readonly IdleRow[]): string {
  const cells = rows.map((row) => [
    row.peer,
    whole(row.connections),
    megabytes(row.residentBytesBefore),
    megabytes(row.residentBytesAfter),
    decimal(row.bytesPerConnection === undefined ? undefined : row.bytesPerConnection / 1024),
    ratio(timesMillrace(row, rows, (each) => each.bytesPerConnection)),
    whole(row.connectionsPerSecond),
  ]);
  const failures = rows.flatMap((row) => row.failures.map((failure) => `  ! ${row.peer}: ${failure}`));
  return [...alignedTable(IDLE_COLUMNS, cells), ...failures].join('\n');
}

function warningsOf(row: LoadRow): string[] {
  const warnings = [...row.failures];
  if (row.foreign > 0) warnings.push(`${row.foreign} deliveries of messages that were never sent there`);
  if (row.unfinished > 0) warnings.push(`${row.unfinished} acknowledged exchanges never finished`);
  if (limitedByGenerator(row)) {
    warnings.push(
      `the generator was over ${BUSY * 100} % busy and the broker was not: msgs/s is the generator's limit`,
    );
  }
  if (limitedByNeither(row)) {
    warnings.push(`the broker was only ${percent(row.brokerBusy)} busy: a busy machine, a disk, or a small window?`);
  }
  return warnings.map((warning) => `  ! ${row.peer}: ${warning}`);
}

function whole(value: number): string {
  return Number.isNaN(value) ? UNKNOWN : Math.round(value).toLocaleString('en-US');
}

function decimal(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? UNKNOWN : value.toFixed(2);
}

function ratio(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${value.toFixed(2)} ×`;
}

function percent(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? UNKNOWN : `${Math.round(value * 100)} %`;
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : (bytes / 1024 / 1024).toFixed(1);
}
