/** How long a broker with nothing to bring back takes until it answers its first CONNECT. */
import { type BedScenario, count, type Figures, megabytes } from '../bed/bed-scenario.js';
import { medianOf } from '../median.js';

const STARTS = 5;

export const start: BedScenario = {
  name: 'start',
  peers: 'volatile',
  variesBy: ['protocol', 'transport'],
  method: `the median of ${STARTS} starts after a stop, with an empty directory the first time: from the start of the process to its first CONNACK`,
  cost: 'startMs',
  columns: [
    count('first start ms', 'firstStartMs'),
    count('start ms', 'startMs'),
    megabytes('RSS MB', 'residentBytes'),
  ],
  connections: () => 1,
  run: async (bed, { settleMs }): Promise<Figures> => {
    const firstStartMs = await bed.start();
    const starts: number[] = [];
    while (starts.length < STARTS) {
      await bed.stop();
      starts.push(await bed.start());
    }
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return { firstStartMs, startMs: medianOf(starts), residentBytes: bed.residentBytes() };
  },
};
