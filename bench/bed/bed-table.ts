/**
 * The rows of one scenario in its own columns, for the terminal and for the page. Columns in which all rows are alike by the nature of the
 * scenario are left out: QoS, the axis, and the variant when there is only one. What went wrong stands below.
 */
import { alignedTable, type Column, UNKNOWN } from '../aligned-table.js';
import { describeVariant } from '../variant.js';
import { type BedRow, timesFirstVariant, timesMillrace } from './bed-rows.js';
import type { BedScenario, FigureColumn } from './bed-scenario.js';

/** From this share of its core on, a process is what limits the rate. */
const BUSY = 0.95;
/** Below this share of its core the broker was not measured at its limit. */
const SATURATED = 0.9;
/** Of the same warning so many are told one by one, more of them in one line. */
const TOLD_ONE_BY_ONE = 3;

export interface Table {
  readonly columns: readonly Column[];
  readonly cells: readonly (readonly string[])[];
  readonly warnings: readonly string[];
}

interface RowColumn extends Column {
  readonly cell: (row: BedRow) => string;
}

export function tableOf(scenario: BedScenario, rows: readonly BedRow[]): Table {
  const columns = columnsOf(scenario, rows);
  return {
    columns: columns.map(({ heading, alignment }) => ({ heading, alignment })),
    cells: rows.map((row) => columns.map(({ cell }) => cell(row))),
    warnings: [
      ...rows.flatMap((row) => row.failures.map((failure) => `${subjectOf(row)}: ${failure}`)),
      ...(scenario.saturates === true ? limitWarnings(rows) : []),
    ],
  };
}

export function printed({ columns, cells, warnings }: Table): string {
  return [...alignedTable(columns, cells), ...warnings.map((warning) => `  ! ${warning}`)].join('\n');
}

function columnsOf(scenario: BedScenario, rows: readonly BedRow[]): RowColumn[] {
  const variants = new Set(rows.map((row) => describeVariant(row.variant, scenario.variesBy)));
  const columns: RowColumn[] = [{ heading: 'scenario', alignment: 'left', cell: (row) => row.scenario }];
  if (scenario.qos !== undefined) columns.push(right('QoS', (row) => String(row.qos)));
  if (scenario.axis !== undefined) columns.push(right(scenario.axis.heading, (row) => whole(row.at)));
  columns.push({ heading: 'peer', alignment: 'left', cell: (row) => row.peer });
  if (variants.size > 1) {
    columns.push({
      heading: 'variant',
      alignment: 'left',
      cell: (row) => describeVariant(row.variant, scenario.variesBy),
    });
  }
  for (const column of scenario.columns) {
    columns.push(right(column.heading, (row) => shown(row, column)));
    if (column.figure !== scenario.cost) continue;
    columns.push(right('× millrace', (row) => times(timesMillrace(scenario, row, rows))));
    if (variants.size > 1)
      columns.push(right('× first variant', (row) => times(timesFirstVariant(scenario, row, rows))));
  }
  return columns;
}

function right(heading: string, cell: (row: BedRow) => string): RowColumn {
  return { heading, alignment: 'right', cell };
}

function shown(row: BedRow, { figure, show }: FigureColumn): string {
  const value = row.figures[figure];
  return value === undefined || Number.isNaN(value) ? UNKNOWN : show(value);
}

function whole(value: number | undefined): string {
  return value === undefined ? UNKNOWN : value.toLocaleString('en-US');
}

function times(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${value.toFixed(2)} ×`;
}

/** Rows in which the broker was not at its limit, though the load is as much as it takes. */
function limitWarnings(rows: readonly BedRow[]): string[] {
  const byGenerator = rows.filter((row) => generatorBusyOf(row) > BUSY && (brokerBusyOf(row) ?? 0) <= BUSY);
  const idle = rows.filter((row) => !byGenerator.includes(row) && (brokerBusyOf(row) ?? 1) < SATURATED);
  const percents = idle.map((row) => Math.floor((brokerBusyOf(row) ?? 0) * 100));
  const range = [...new Set([Math.min(...percents), Math.max(...percents)])].join(' to ');
  const why = 'a busy machine, a disk, or a small window?';
  return [
    ...grouped(
      rows,
      byGenerator,
      `the generator was over ${BUSY * 100} % busy and the broker was not: msgs/s is the generator's limit`,
    ),
    ...(idle.length > TOLD_ONE_BY_ONE
      ? grouped(rows, idle, `the broker was only ${range} % busy: ${why}`)
      : idle.map((row, at) => `${subjectOf(row)}: the broker was only ${percents[at]} % busy: ${why}`)),
  ];
}

function grouped(rows: readonly BedRow[], concerned: readonly BedRow[], warning: string): string[] {
  if (concerned.length > TOLD_ONE_BY_ONE) return [`in ${concerned.length} of ${rows.length} rows ${warning}`];
  return concerned.map((row) => `${subjectOf(row)}: ${warning}`);
}

function brokerBusyOf({ figures }: BedRow): number | undefined {
  return figures['brokerBusy'];
}

function generatorBusyOf({ figures }: BedRow): number {
  return figures['generatorBusy'] ?? 0;
}

function subjectOf({ peer, qos, at }: BedRow): string {
  return [peer, ...(qos === undefined ? [] : [`QoS ${qos}`]), ...(at === undefined ? [] : [`at ${whole(at)}`])].join(
    ', ',
  );
}
