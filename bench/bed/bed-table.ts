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
    warnings: rows.flatMap((row) => warningsOf(scenario, row)),
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

function warningsOf(scenario: BedScenario, row: BedRow): string[] {
  const warnings = [...row.failures];
  if (scenario.saturates === true) {
    const brokerBusy = row.figures['brokerBusy'];
    const generatorBusy = row.figures['generatorBusy'] ?? 0;
    if (generatorBusy > BUSY && (brokerBusy ?? 0) <= BUSY) {
      warnings.push(
        `the generator was over ${BUSY * 100} % busy and the broker was not: msgs/s is the generator's limit`,
      );
    } else if (brokerBusy !== undefined && brokerBusy < SATURATED) {
      const percent = Math.round(brokerBusy * 100);
      warnings.push(`the broker was only ${percent} % busy: a busy machine, a disk, or a small window?`);
    }
  }
  const { at } = row;
  return warnings.map((warning) => `${row.peer}${at === undefined ? '' : ` at ${whole(at)}`}: ${warning}`);
}
