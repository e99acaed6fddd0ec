/** Opens connections that say nothing after CONNECT, and reads how much more memory the broker then holds. */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import { findCpuMs, findResidentBytes } from '../process-usage.js';
import type { IdleJob, IdleResult } from './idle-job.js';
import { openClients } from './open-clients.js';

export async function runIdle(job: IdleJob): Promise<IdleResult> {
  await delay(job.settleMs);
  const before = usage(job);
  const beganMs = performance.now();
  const clients = await openClients(job.connections, job.address, job.protocol, (number) => `bench-idle-${number}`);
  const connectSeconds = (performance.now() - beganMs) / 1000;
  let lost = 0;
  for (const client of clients) client.onLost = () => lost++;
  await delay(job.settleMs);
  const after = usage(job);
  if (lost > 0) throw new BenchFailure(`${lost} of ${job.connections} idle connections were lost`);
  for (const client of clients) client.close();
  return {
    kind: 'idle',
    connections: job.connections,
    connectSeconds,
    ...(before.cpuMs !== undefined && after.cpuMs !== undefined && { connectCpuMs: after.cpuMs - before.cpuMs }),
    ...(before.residentBytes !== undefined && { residentBytesBefore: before.residentBytes }),
    ...(after.residentBytes !== undefined && { residentBytesAfter: after.residentBytes }),
  };
}

function usage(job: IdleJob): { cpuMs: number | undefined; residentBytes: number | undefined } {
  if (job.brokerPid === undefined) return { cpuMs: undefined, residentBytes: undefined };
  return { cpuMs: findCpuMs(job.brokerPid), residentBytes: findResidentBytes(job.brokerPid) };
}
