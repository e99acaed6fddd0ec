/**
 * Entry point of the load generator's process: takes one Job over the IPC channel, answers with one Outcome and ends.
 * It has a core of its own, so that what it costs is not counted against the broker.
 */
import { runDrain } from './drain-run.js';
import { runEmpty } from './empty-run.js';
import { runIdle } from './idle-run.js';
import type { Job, Outcome } from './job.js';
import { runLatency } from './latency-run.js';
import { runLoad } from './load-run.js';
import { runLoginStorm } from './login-storm-run.js';
import { runLookUp } from './look-up-run.js';
import { runPaced } from './paced-run.js';
import { runPush } from './push-run.js';
import { runQueue } from './queue-run.js';
import { runRetain } from './retain-run.js';
import { runCheckSessions, runStoreSessions } from './session-run.js';
import { runSqs } from './sqs-run.js';
import { runStorm } from './storm-run.js';
import { runSubscribe } from './subscribe-run.js';
import { runTake } from './take-run.js';
import { findTcpHandles } from './tcp-handles.js';
import { runWorkLatency } from './work-latency-run.js';
import { runWork } from './work-run.js';

function answer(outcome: Outcome): void {
  process.send?.(outcome, () => process.exit(0));
}

function fail(error: unknown): void {
  answer({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

function run(job: Job): Promise<Outcome> {
  switch (job.kind) {
    case 'load':
      return runLoad(job);
    case 'idle':
      return runIdle(job);
    case 'storm':
      return runStorm(job, findTcpHandles());
    case 'login-storm':
      return runLoginStorm(job);
    case 'paced':
      return runPaced(job);
    case 'retain':
      return runRetain(job);
    case 'look-up':
      return runLookUp(job);
    case 'subscribe':
      return runSubscribe(job);
    case 'queue':
      return runQueue(job);
    case 'drain':
      return runDrain(job);
    case 'latency':
      return runLatency(job);
    case 'empty':
      return runEmpty(job);
    case 'work':
      return runWork(job);
    case 'push':
      return runPush(job);
    case 'work-latency':
      return runWorkLatency(job);
    case 'take':
      return runTake(job);
    case 'sqs':
      return runSqs(job);
    case 'store-sessions':
      return runStoreSessions(job);
    case 'check-sessions':
      return runCheckSessions(job);
  }
}

process.once('message', (job: Job) => {
  run(job).then(answer, fail);
});
process.once('uncaughtException', fail);
process.once('disconnect', () => process.exit(1));
