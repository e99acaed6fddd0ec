/** The executable as a broker in a process of its own, on ports that are free, and its commands. */
import { MAIN, type Run, runIn } from './millrace-process.js';

export const PORTS = ['--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0'];

export interface Started {
  readonly broker: Run;
  readonly http: string;
  readonly mqtt: string;
}

/** With its data in `data` below the directory, as the command finds it. */
export async function startIn(
  directory: string,
  environment: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<Started> {
  const broker = runIn(directory, MAIN, ['start', ...PORTS, '--log-format', 'json', ...flags], environment);
  await broker.seen('millrace started');
  const report = broker.records().find(({ msg }) => msg === 'millrace started') as {
    readonly http: string;
    readonly listeners: readonly { readonly url: string }[];
  };
  return { broker, http: report.http, mqtt: report.listeners[0]?.url ?? '' };
}

export async function stop({ broker }: Started, signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> {
  broker.child.kill(signal);
  return await broker.exitCode();
}

export interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** `millrace queues`, as the next process of the same user runs it. */
export async function queues(
  directory: string,
  line: string,
  environment: Record<string, string> = {},
): Promise<Ended> {
  const run = runIn(directory, MAIN, ['queues', ...line.split(' ')], environment);
  const code = await run.exitCode();
  return { code, stdout: run.stdout, stderr: run.stderr };
}
