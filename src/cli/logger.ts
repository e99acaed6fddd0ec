/** The process's log: one pino instance on standard output. Everything else gets it, or a child of it, handed in. */
import { type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { coloursFor } from './colours.js';
import type { Settings } from './config-schema.js';
import { LogOutput } from './log-output.js';
import { PrettyLog } from './pretty-log.js';

export interface ProcessLog {
  readonly logger: Logger;
  readonly format: 'json' | 'pretty';
  /** Writes out what is still buffered, before the process ends. Never throws. */
  flush(): void;
}

const STANDARD_OUTPUT = 1;

/** Where credentials may stand if somebody logs a packet or a settings object whole. */
const SECRETS = ['password', '*.password', 'adminToken', '*.adminToken', 'authenticationData', '*.authenticationData'];

export function openLog(log: Settings['log'], environment: Readonly<Record<string, string | undefined>>): ProcessLog {
  const isTerminal = process.stdout.isTTY === true;
  const format = log.format === 'auto' ? (isTerminal ? 'pretty' : 'json') : log.format;
  const options: LoggerOptions = {
    level: log.level,
    base: null,
    timestamp: stdTimeFunctions.epochTime,
    redact: SECRETS,
  };
  if (format === 'pretty') {
    const out = (text: string): void => void process.stdout.write(text);
    return { logger: pino(options, new PrettyLog(out, coloursFor(process.stdout, environment))), format, flush() {} };
  }
  if (isTerminal) {
    const out = { write: (line: string): void => void process.stdout.write(line) };
    return { logger: pino(options, out), format, flush() {} };
  }
  const output = new LogOutput(STANDARD_OUTPUT);
  return { logger: pino(options, output), format, flush: () => output.flush() };
}
