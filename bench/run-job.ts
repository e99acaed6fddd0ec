/** Runs one job in a fresh generator process against a broker and brings back its outcome. */
import { fileURLToPath } from 'node:url';
import { startProcess, stopProcess } from './child-processes.js';
import type { Job, Outcome } from './generator/job.js';

const GENERATOR = fileURLToPath(new URL('./generator/generator-process.js', import.meta.url));

/** What connecting and waiting for the last delivery may take beyond the time that the job itself asks for. */
const GRACE_MS = 120_000;

/** @param prefix put before the command, for pinning */
export async function runJob(job: Job, fileDescriptors: number, prefix: readonly string[]): Promise<Outcome> {
  const child = startProcess([...prefix, process.execPath, GENERATOR], fileDescriptors, [
    'ignore',
    'inherit',
    'inherit',
    'ipc',
  ]);
  const limitMs = GRACE_MS + askedMs(job);
  let timer: NodeJS.Timeout | undefined;
  const outcome = await new Promise<Outcome>((resolve) => {
    child.once('message', (message) => resolve(message as Outcome));
    child.once('exit', (code) => resolve({ kind: 'failed', reason: `the generator ended with code ${code}` }));
    timer = setTimeout(() => resolve({ kind: 'failed', reason: `no result within ${limitMs} ms` }), limitMs);
    child.send(job);
  });
  clearTimeout(timer);
  await stopProcess(child);
  return outcome;
}

/** How long the queue may take to be full. */
const SQS_FILL_MS = 300_000;

/** The time that the job itself asks for. */
function askedMs(job: Job): number {
  switch (job.kind) {
    case 'load':
    case 'latency':
    case 'paced':
    case 'work':
    case 'push':
    case 'work-latency':
      return job.warmUpMs + job.measuredMs;
    case 'sqs':
      return job.does === 'fill' ? SQS_FILL_MS : job.warmUpMs + job.measuredMs;
    case 'login-storm':
      return job.warmUpMs + job.quietMs + 2 * job.longestStormMs;
    case 'idle':
      return 2 * job.settleMs;
    case 'queue':
      return job.warmUpMs + 2 * job.longestMs;
    case 'drain':
    case 'take':
    case 'empty':
    case 'retain':
    case 'look-up':
    case 'store-sessions':
      return job.longestMs;
    case 'subscribe':
      return job.longestMs + 2 * job.settleMs + job.load.warmUpMs + job.load.measuredMs;
    case 'storm':
    case 'check-sessions':
      return 0;
  }
}
