/** Prints the rows of one durable scenario, in its own columns; failures stand below. */
import { alignedTable, type Column, UNKNOWN } from '../aligned-table.js';
import type { DurableRow } from './durable-benchmark.js';
import type { DurableScenario } from './durable-scenario.js';

const FIRST_COLUMNS: readonly Column[] = [
  { heading: 'scenario', alignment: 'left' },
  { heading: 'peer', alignment: 'left' },
];

export function durableTable(scenario: DurableScenario, rows: readonly DurableRow[]): string {
  const figureColumns = scenario.columns.map(({ heading }): Column => ({ heading, alignment: 'right' }));
  const cells = rows.map((row) => [
    row.scenario,
    row.peer,
    ...scenario.columns.map(({ figure, show }) => {
      const value = row.figures[figure];
      return value === undefined || Number.isNaN(value) ? UNKNOWN : show(value);
    }),
  ]);
  const failures = rows.flatMap((row) => row.failures.map((failure) => `  ! ${row.peer}: ${failure}`));
  return [...alignedTable([...FIRST_COLUMNS, ...figureColumns], cells), ...failures].join('\n');
}
