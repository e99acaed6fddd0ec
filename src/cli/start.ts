/**
 * `millrace start`: opens the log, starts the broker, says where it listens, and sees to it that the process ends well
 * whatever ends it: a signal, a failure at start, or an error that nobody caught.
 */
import { MillraceError } from '../core/errors.js';
import { coloursFor } from './colours.js';
import type { Settings } from './config-schema.js';
import { explainListenFailure } from './listen-failure.js';
import { openLog, type ProcessLog } from './logger.js';
import type { RunningBroker, StartBroker } from './running-broker.js';
import { formatStartReport, startReport } from './start-message.js';
import { packageVersion } from './version.js';

/** Time for clients to be told and for what is durable to be written. Docker kills after 10 s, Kubernetes after 30 s, systemd after 90 s. */
const GRACE_MS = 8000;

/** Beyond the grace time, for a broker that does not keep its word. */
const GUARD_MS = 500;

/**
 * Runs the broker until a signal comes, and then ends the process: it never returns. While the store is being recovered, which may
 * take minutes, a signal ends the process at once: no client has been let in, and what recovery leaves at any moment it
 * takes up again, as after a crash.
 */
export async function start(settings: Settings, startBroker: StartBroker): Promise<never> {
  const log = openLog(settings.log, process.env);
  const ended = (code: number): never => {
    log.flush();
    process.exit(code);
  };
  endOnUncaught(log, ended);
  const stopRequest = awaitSignal(log, ended);
  const onOpening = endUntilOpening(stopRequest, log, ended);
  let broker: RunningBroker | null = null;
  reloadOnHangup(() => broker, log);
  broker = await startOrExplain(() => startBroker(settings, log.logger, onOpening), settings, log, ended);
  announce(settings, broker, log);
  await stopRequest;
  return ended(await stopWithin(broker, log));
}

function endOnUncaught({ logger }: ProcessLog, ended: (code: number) => never): void {
  const onFatal = (origin: string) => (error: unknown) => {
    logger.fatal({ err: error instanceof Error ? error : { message: String(error) } }, origin);
    ended(1);
  };
  process.on('uncaughtException', onFatal('uncaught exception'));
  process.on('unhandledRejection', onFatal('unhandled rejection'));
  // Whoever read our output has gone; the clients are still there.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/** Resolves on the first SIGTERM or SIGINT; the second ends the process at once. */
function awaitSignal({ logger }: ProcessLog, ended: (code: number) => never): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: string): void => {
      if (isStopping) {
        logger.warn({ signal }, 'second signal: exiting at once');
        ended(1);
      }
      isStopping = true;
      logger.info({ signal }, 'stopping');
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** A stop request ends the process at once, until clients are let in. @returns to be called when they are */
function endUntilOpening(
  stopRequest: Promise<void>,
  { logger }: ProcessLog,
  ended: (code: number) => never,
): () => void {
  let isOpening = false;
  void stopRequest.then(() => {
    if (isOpening) return;
    logger.info('stopped before the store was recovered: the next start does it');
    ended(0);
  });
  return () => {
    isOpening = true;
  };
}

async function startOrExplain(
  startBroker: () => Promise<RunningBroker>,
  settings: Settings,
  { logger, format }: ProcessLog,
  ended: (code: number) => never,
): Promise<RunningBroker> {
  try {
    return await startBroker();
  } catch (error) {
    // An error of ours is about the machine or the settings, and says so: nobody needs to see where it was thrown.
    const ours = error instanceof MillraceError ? error : undefined;
    const explanation = explainListenFailure(error, settings) ?? ours?.message;
    // With the log silent, the exit code alone would leave a person without a clue.
    const isLogged = logger.isLevelEnabled('fatal') && (explanation === undefined || format === 'json');
    if (!isLogged) process.stderr.write(`millrace: ${explanation ?? `the broker could not start: ${error}`}\n`);
    else if (explanation === undefined) logger.fatal({ err: error }, 'the broker could not start');
    else logger.fatal({ code: ours?.code }, explanation);
    return ended(1);
  }
}

/**
 * SIGHUP, as for every daemon: what stands in files of their own is read again. The configuration is not. A broker that is being
 * started has read them just now.
 * @param running the broker, null until it is up
 */
function reloadOnHangup(running: () => RunningBroker | null, { logger }: ProcessLog): void {
  process.on('SIGHUP', () => {
    logger.info({ signal: 'SIGHUP' }, 'reading files of credentials, rules and certificates again');
    running()?.reload();
  });
}

function announce(settings: Settings, broker: RunningBroker, { logger, format, flush }: ProcessLog): void {
  if (settings.log.level === 'silent') return;
  const report = startReport(packageVersion(), settings, broker);
  if (format === 'pretty') {
    process.stdout.write(formatStartReport(report, broker.listeners, coloursFor(process.stdout, process.env)));
    return;
  }
  const { warnings, ...facts } = report;
  for (const warning of warnings) logger.warn(warning);
  // Whatever the level: with port 0, this line is the only place that names the port.
  logger.child({}, { level: 'info' }).info(facts, 'millrace started');
  flush();
}

/** @returns the exit code */
async function stopWithin(broker: RunningBroker, { logger }: ProcessLog): Promise<number> {
  let guard: NodeJS.Timeout | undefined;
  const overdue = new Promise<'overdue'>((resolve) => {
    guard = setTimeout(resolve, GRACE_MS + GUARD_MS, 'overdue');
  });
  try {
    const outcome = await Promise.race([broker.stop(GRACE_MS), overdue]);
    if (outcome === 'overdue') {
      logger.error({ graceMs: GRACE_MS }, 'the broker did not stop in time');
      return 1;
    }
    logger.info('stopped');
    return 0;
  } catch (error) {
    logger.error({ err: error }, 'the broker did not stop cleanly');
    return 1;
  } finally {
    clearTimeout(guard);
  }
}
