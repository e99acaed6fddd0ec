/** How long it takes from the start of a process with a million queued messages until a worker has the first of them. */
import { type BedScenario, count, decimals, errors, type Figures, megabytes } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import { Client } from '../generator/client.js';
import { PUBLISH } from '../generator/frames.js';
import { WORK_FILTER } from '../generator/work-queue.js';
import { fill, settle } from './queue-backlog.js';
import { queueConfiguration } from './queue-configuration.js';

const PUBLISHERS = 100;
const WORKERS = 4;
const LONGEST_EMPTY_MS = 120_000;

export const queueRestart: BedScenario = {
  name: 'queue-restart',
  peers: 'durable',
  configuration: queueConfiguration({ type: 'standard', prefetch: 256, grouped: false }),
  method:
    'seconds from the start of the process to its first CONNACK, and until a worker that subscribes then has its first message: after a ' +
    'stop, and after kill -9; then everything is taken and compared',
  connections: () => PUBLISHERS + WORKERS + 1,
  columns: [
    count('queued', 'queued'),
    decimals('CONNACK s after stop', 'connackAfterStop'),
    decimals('first message s', 'firstAfterStop'),
    decimals('CONNACK s after kill -9', 'connackAfterKill'),
    decimals('first message s', 'firstAfterKill'),
    megabytes('RSS MB restarted', 'residentRestarted'),
    count('emptied/s', 'emptiedPerSecond'),
    errors('lost', 'lost'),
    errors('dup', 'duplicated'),
    errors('left', 'left'),
    errors('missing', 'missing'),
  ],
  run: async (bed, options): Promise<Figures> => {
    await bed.start();
    const filled = await fill(bed, options, options.queued);
    await bed.stop();
    const afterStop = await startAndTake(bed);
    await bed.kill();
    const afterKill = await startAndTake(bed);
    await settle(options);
    const residentRestarted = bed.residentBytes();
    const emptied = await bed.run<'empty'>({
      kind: 'empty',
      workers: WORKERS,
      sent: filled.sent,
      longestMs: LONGEST_EMPTY_MS,
    });
    const { lost, duplicated, left, missing } = emptied;
    return {
      queued: filled.sent.reduce((sum, sent) => sum + sent, 0),
      connackAfterStop: afterStop.connackSeconds,
      firstAfterStop: afterStop.firstSeconds,
      connackAfterKill: afterKill.connackSeconds,
      firstAfterKill: afterKill.firstSeconds,
      residentRestarted,
      emptiedPerSecond: emptied.delivered / emptied.seconds,
      lost,
      duplicated,
      left,
      missing,
    };
  },
};

/** The worker leaves without having acknowledged anything: what it had goes back. */
async function startAndTake(bed: TestBed): Promise<{ connackSeconds: number; firstSeconds: number }> {
  const beganMs = performance.now();
  const connackSeconds = (await bed.start()) / 1000;
  const client = await Client.open(bed.address, 5, 'bench-first');
  await new Promise<void>((resolve, reject) => {
    client.onLost = reject;
    const first = {
      onFrame: (bytes: Uint8Array, start: number) => {
        if ((bytes[start] as number) >> 4 === PUBLISH) resolve();
      },
      onChunkEnd: () => {},
    };
    client.subscribe([WORK_FILTER], 1, () => client.handTo(first)).catch(reject);
  });
  const firstSeconds = (performance.now() - beganMs) / 1000;
  await client.leave();
  return { connackSeconds, firstSeconds };
}
