/** Lines of a table for people, every column as wide as its widest cell. */
export interface Column {
  readonly heading: string;
  readonly alignment: 'left' | 'right';
}

/** What stands where nothing is known. */
export const UNKNOWN = '–';

/** @returns the headings, then one line per row */
export function alignedTable(columns: readonly Column[], cells: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ heading }, at) =>
    Math.max(heading.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    columns.map(({ alignment }, at) => pad(row[at] ?? '', widths[at] ?? 0, alignment)).join('  ');
  return [line(columns.map(({ heading }) => heading)), ...cells.map(line)];
}

function pad(text: string, width: number, alignment: 'left' | 'right'): string {
  return alignment === 'left' ? text.padEnd(width) : text.padStart(width);
}
