/**
 * Entry point of the load generator's process: takes one Job over the IPC channel, answers with one Outcome and ends.
 * It has a core of its own, so that what it costs is not counted against the broker.
 */
import { runIdle } from './idle-run.js';
import type { Job, Outcome } from './job.js';
import { runLoad } from './load-run.js';

function answer(outcome: Outcome): void {
  process.send?.(outcome, () => process.exit(0));
}

function fail(error: unknown): void {
  answer({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

process.once('message', (job: Job) => {
  const run = job.kind === 'load' ? runLoad(job) : runIdle(job);
  run.then(answer, fail);
});
process.once('uncaughtException', fail);
process.once('disconnect', () => process.exit(1));
