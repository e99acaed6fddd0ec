/** Stores many sessions with their subscriptions, and later looks whether a sample of them is still there. */
import { Client } from './client.js';
import type { CheckSessionsJob, CheckSessionsResult, StoreSessionsJob, StoreSessionsResult } from './session-job.js';
import { fleetClientId, fleetFilters } from './stored-sessions.js';
import { UsageWindow } from './usage-window.js';

const AT_ONCE = 200;

/** Each session connects, subscribes and leaves; a number of them at a time, each place taken again at once. */
export async function runStoreSessions(job: StoreSessionsJob): Promise<StoreSessionsResult> {
  const window = UsageWindow.begin(job.brokerPid);
  let next = 0;
  const place = async (): Promise<void> => {
    while (next < job.sessions) {
      const device = next++;
      const client = await Client.open(job.address, job.protocol, fleetClientId(device), { persistent: true });
      await client.subscribe(fleetFilters(device), 1);
      await client.leave();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, place));
  return { kind: 'store-sessions', ...window.end() };
}

export async function runCheckSessions(job: CheckSessionsJob): Promise<CheckSessionsResult> {
  let absent = 0;
  const step = Math.max(1, Math.floor(job.sessions / job.sample));
  for (let device = 0; device < job.sessions; device += step) {
    const client = await Client.open(job.address, job.protocol, fleetClientId(device), { persistent: true });
    if (!client.sessionPresent) absent++;
    await client.leave();
  }
  return { kind: 'check-sessions', absent };
}
