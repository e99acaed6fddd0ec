/** The process's log: one pino instance on standard output. Everything else gets it, or a child of it, handed in. */
import { type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { coloursFor } from './colours.js';
import type { Settings } from './config-schema.js';
import { PrettyLog } from './pretty-log.js';

export interface ProcessLog {
  readonly logger: Logger;
  readonly format: 'json' | 'pretty';
  /** Writes out what is still buffered, before the process ends. Never throws. */
  flush(): void;
}

/** Where credentials may stand if somebody logs a packet or a settings object whole. */
const SECRETS = ['password', '*.password', 'authenticationData', '*.authenticationData'];

/** Lines are gathered up to this many bytes, but not longer than the interval: a write per line costs more than the line. */
const BUFFER_BYTES = 4096;
const FLUSH_INTERVAL_MS = 1000;

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
  const destination = pino.destination(
    isTerminal
      ? { fd: 1, sync: true }
      : { fd: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_INTERVAL_MS },
  );
  const flush = (): void => {
    try {
      destination.flushSync();
    } catch {
      // Standard output is gone or blocked: there is nobody left to tell.
    }
  };
  return { logger: pino(options, destination), format, flush };
}
