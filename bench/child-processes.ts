/** Starts the processes of a run, with enough file descriptors, and makes sure that none outlives the benchmark. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

const TERMINATE_MS = 5000;

const children = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(130));
}

/**
 * @param fileDescriptors how many it may need; asked for, but the machine's hard limit holds
 * @param environment besides that of the benchmark
 */
export function startProcess(
  command: readonly string[],
  fileDescriptors: number,
  stdio: StdioOptions,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  // `exec` all the way down: the child's pid is the program's own.
  const raiseLimit = `ulimit -n ${fileDescriptors} 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"`;
  const child = spawn('sh', ['-c', raiseLimit, 'sh', ...command], { stdio, env: { ...process.env, ...environment } });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/**
 * Asks the process to end, and makes it when it has not.
 * @param patienceMs how long it may take by itself
 */
export async function stopProcess(child: ChildProcess, patienceMs = TERMINATE_MS): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

/** Ends the process as a crash would: without giving it a chance to put anything in order. */
export async function killProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
