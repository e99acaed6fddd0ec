/** Log lines for people: `12:30:01.123 INFO  message key=value`. A destination for pino; not meant to be fast. */
import type { Colours } from './colours.js';
import { visible } from './visible-text.js';

const LEVELS: Readonly<Record<number, readonly [string, keyof Colours]>> = {
  10: ['TRACE', 'dim'],
  20: ['DEBUG', 'dim'],
  30: ['INFO', 'green'],
  40: ['WARN', 'yellow'],
  50: ['ERROR', 'red'],
  60: ['FATAL', 'red'],
};

interface LogRecord {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly err?: { readonly stack?: string; readonly message?: string };
  readonly [key: string]: unknown;
}

export class PrettyLog {
  readonly #out: (text: string) => void;
  readonly #colours: Colours;

  constructor(out: (text: string) => void, colours: Colours) {
    this.#out = out;
    this.#colours = colours;
  }

  /** Called by pino with one JSON line. */
  write(line: string): void {
    const { level, time, msg, err, ...rest } = JSON.parse(line) as LogRecord;
    const [word, colour] = LEVELS[level] ?? [String(level), 'dim'];
    const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${JSON.stringify(printable(value))}`);
    const stack = err === undefined ? '' : `\n${visible(err.stack ?? err.message ?? '')}`;
    const stamp = this.#colours.dim(new Date(time).toISOString().slice(11, 23));
    this.#out(
      `${stamp} ${this.#colours[colour](word.padEnd(5))} ${visible(msg ?? '')}${this.#colours.dim(fields.join(''))}${stack}\n`,
    );
  }
}

/** A client chooses some of the text. */
function printable(value: unknown): unknown {
  return typeof value === 'string' ? visible(value) : value;
}
