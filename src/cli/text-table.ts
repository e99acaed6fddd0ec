/** Rows in columns for a terminal. What stands in them is made harmless here. */
import { visibleLine } from './visible-text.js';

export interface Column {
  readonly title: string;
  /** For numbers. */
  readonly isRight?: boolean;
}

/** Without blanks at the ends of lines; ends with a line break. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows].map((row) => row.map(visibleLine));
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines
    .map((line) =>
      columns
        .map(({ isRight }, index) => {
          const [cell = '', width = 0] = [line[index], widths[index]];
          return isRight ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd()
        .concat('\n'),
    )
    .join('');
}
