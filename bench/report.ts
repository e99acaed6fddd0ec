/** Prints rows as tables for people. A row that went wrong in any way says so below its table. */
import { BUSY, type IdleRow, type LoadRow, limitedByGenerator, limitedByNeither, timesMillrace } from './summary.js';

const UNKNOWN = '–';

type Column = readonly [heading: string, alignment: 'left' | 'right'];

const LOAD_COLUMNS: readonly Column[] = [
  ['scenario', 'left'],
  ['QoS', 'right'],
  ['peer', 'left'],
  ['msgs/s', 'right'],
  ['CPU µs/msg', 'right'],
  ['× millrace', 'right'],
  ['lost/dup/reordered', 'right'],
  ['broker busy', 'right'],
  ['RSS peak MB', 'right'],
  ['generator µs/msg', 'right'],
  ['generator busy', 'right'],
];

const IDLE_COLUMNS: readonly Column[] = [
  ['peer', 'left'],
  ['connections', 'right'],
  ['RSS before MB', 'right'],
  ['RSS after MB', 'right'],
  ['KB/connection', 'right'],
  ['× millrace', 'right'],
  ['connections/s', 'right'],
];

/** @param rows of one case, so that ratios compare like with like */
export function loadTable(rows: readonly LoadRow[]): string {
  const cells = rows.map((row) => [
    row.scenario,
    String(row.qos),
    row.peer,
    whole(row.deliveriesPerSecond),
    decimal(row.cpuMicroseconds),
    ratio(timesMillrace(row, rows, (each) => each.cpuMicroseconds)),
    `${row.lost}/${row.duplicated}/${row.reordered}`,
    percent(row.brokerBusy),
    megabytes(row.peakResidentBytes),
    decimal(row.generatorCpuMicroseconds),
    percent(row.generatorBusy),
  ]);
  return [...aligned(LOAD_COLUMNS, cells), ...rows.flatMap(warningsOf)].join('\n');
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
  return [...aligned(IDLE_COLUMNS, cells), ...failures].join('\n');
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
    warnings.push(`the broker was only ${percent(row.brokerBusy)} busy: a busy machine, or a small window?`);
  }
  return warnings.map((warning) => `  ! ${row.peer}: ${warning}`);
}

function aligned(columns: readonly Column[], cells: readonly (readonly string[])[]): string[] {
  const widths = columns.map(([heading], at) => Math.max(heading.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    columns.map(([, alignment], at) => pad(row[at] ?? '', widths[at] ?? 0, alignment)).join('  ');
  return [line(columns.map(([heading]) => heading)), ...cells.map(line)];
}

function pad(text: string, width: number, alignment: 'left' | 'right'): string {
  return alignment === 'left' ? text.padEnd(width) : text.padStart(width);
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
