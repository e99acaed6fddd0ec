/**
 * Reads the CSV files of `devices-sim/data` and cuts them into stations: one station is what one simulated device
 * replays, a stretch of a real series in the order in which it was recorded. Where the data comes from and how it is cut
 * is told in the README beside the files.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSetInvalid } from './errors.js';

/** One measurement: when it was recorded (ISO 8601, as in the source) and what. */
export interface Reading {
  readonly recordedAt: string;
  readonly values: Readonly<Record<string, number | string>>;
}

/** What one device replays. `name` is unique in the data set and fits into a topic level. */
export interface Station {
  readonly network: string;
  readonly name: string;
  readonly readings: readonly Reading[];
}

/** How one file becomes stations. */
interface Source {
  readonly file: string;
  readonly network: string;
  readonly timeColumn: string;
  /** Columns that name the station and are left out of the values. */
  readonly keyColumns: readonly string[];
  stationName(row: CsvRow): string;
}

type CsvRow = ReadonlyMap<string, string>;

const SOURCES: readonly Source[] = [
  {
    file: 'daily-weather.csv',
    network: 'weather-daily',
    timeColumn: 'date',
    keyColumns: ['site'],
    stationName: (row) => `${cell(row, 'site')}-${quarterOf(cell(row, 'date'))}`,
  },
  {
    file: 'hourly-normals.csv',
    network: 'weather-normals',
    timeColumn: 'time',
    keyColumns: [],
    stationName: (row) => `seattle-normals-${halfMonthOf(cell(row, 'time'))}`,
  },
  {
    file: 'seismic-events.csv',
    network: 'seismic',
    timeColumn: 'time',
    keyColumns: ['network'],
    stationName: (row) => `seismic-${cell(row, 'network')}`,
  },
];

/**
 * Reads every station of the data set, network by network.
 * @param folder where the CSV files lie
 * @throws DataSetInvalid when a file is missing, or a line does not have the columns of its header
 */
export async function readDataSet(folder: string): Promise<Station[]> {
  const perSource = await Promise.all(SOURCES.map((source) => readSource(folder, source)));
  return perSource.flat();
}

async function readSource(folder: string, source: Source): Promise<Station[]> {
  const path = join(folder, source.file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new DataSetInvalid(`the data file ${path} cannot be read`, { cause });
  }
  const readingsOfStation = new Map<string, Reading[]>();
  for (const row of parseCsv(text, source.file)) {
    const name = source.stationName(row);
    const readings = readingsOfStation.get(name) ?? [];
    readings.push(toReading(row, source));
    readingsOfStation.set(name, readings);
  }
  return [...readingsOfStation].map(([name, readings]) => ({ network: source.network, name, readings }));
}

function toReading(row: CsvRow, source: Source): Reading {
  const values: Record<string, number | string> = {};
  for (const [column, text] of row) {
    if (column === source.timeColumn || source.keyColumns.includes(column)) continue;
    const number = Number(text);
    values[column] = text === '' || Number.isNaN(number) ? text : number;
  }
  return { recordedAt: cell(row, source.timeColumn), values };
}

/** The files have no quoted fields (`prepare.mjs` writes none), so a comma always separates. */
function* parseCsv(text: string, file: string): Generator<CsvRow> {
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const columns = header.split(',');
  for (const [index, line] of lines.entries()) {
    const fields = line.split(',');
    if (fields.length !== columns.length) {
      throw new DataSetInvalid(
        `${file}, line ${index + 2}: ${columns.length} columns expected, ${fields.length} found`,
      );
    }
    yield new Map(columns.map((column, position) => [column, fields[position] ?? '']));
  }
}

function cell(row: CsvRow, column: string): string {
  const text = row.get(column);
  if (text === undefined) throw new DataSetInvalid(`the column "${column}" is missing`);
  return text;
}

/** '2012-05-17' → '2012-q2' */
function quarterOf(date: string): string {
  return `${date.slice(0, 4)}-q${Math.ceil(Number(date.slice(5, 7)) / 3)}`;
}

/** '2010-03-16T06:00' → '03b': the first fifteen days of a month are its half a. */
function halfMonthOf(time: string): string {
  return `${time.slice(5, 7)}${Number(time.slice(8, 10)) <= 15 ? 'a' : 'b'}`;
}
