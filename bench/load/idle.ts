/** Connections that only say CONNECT: what each of them costs in memory, and how fast they are taken when they come at once. */
import {
  type BedScenario,
  count,
  decimals,
  errors,
  type Figures,
  kilobytes,
  megabytes,
  share,
} from '../bed/bed-scenario.js';
import { usageFigures } from '../bed/usage-figures.js';

export const IDLE = 'idle';
export const CONNECT_STORM = 'connect-storm';

export const idle: BedScenario = {
  name: IDLE,
  peers: 'volatile',
  variesBy: ['protocol', 'transport'],
  cost: 'bytesPerConnection',
  columns: [
    count('connections', 'connections'),
    megabytes('RSS before MB', 'residentBytesBefore'),
    megabytes('RSS after MB', 'residentBytesAfter'),
    kilobytes('KB/connection', 'bytesPerConnection'),
    count('connections/s', 'connectionsPerSecond'),
  ],
  connections: ({ connections }) => connections,
  run: async (bed, { connections, settleMs }): Promise<Figures> => {
    await bed.start();
    const result = await bed.run<'idle'>({ kind: 'idle', connections, settleMs });
    const { residentBytesBefore, residentBytesAfter } = result;
    return {
      connections: result.connections,
      residentBytesBefore,
      residentBytesAfter,
      bytesPerConnection:
        residentBytesBefore === undefined || residentBytesAfter === undefined
          ? undefined
          : (residentBytesAfter - residentBytesBefore) / result.connections,
      connectionsPerSecond: result.connections / result.connectSeconds,
    };
  },
};

/** Of a fleet that has lost its broker and comes back; more than that wait in the broker's listen queue. */
const AT_ONCE = 400;

export const connectStorm: BedScenario = {
  name: CONNECT_STORM,
  peers: 'volatile',
  variesBy: ['protocol', 'transport'],
  method:
    `connections come as fast as they are taken, ${AT_ONCE} at a time under way from SYN to CONNACK, and stay; then all leave, ` +
    'and come back in the same way. Measured is the second time; a connect counts from its SYN to its CONNACK',
  cost: 'cpuMicroseconds',
  drawn: ['perSecond'],
  columns: [
    count('connections', 'connections'),
    count('connects/s', 'perSecond'),
    count('connects/s first time', 'firstPerSecond'),
    decimals('CPU µs/connect', 'cpuMicroseconds'),
    decimals('connect p50 ms', 'p50Ms'),
    decimals('p99 ms', 'p99Ms'),
    errors('refused', 'refused'),
    share('broker busy', 'brokerBusy'),
    share('generator busy', 'generatorBusy'),
    megabytes('RSS peak MB', 'peakResidentBytes'),
  ],
  connections: ({ connections }) => connections,
  run: async (bed, { connections }): Promise<Figures> => {
    await bed.start();
    const result = await bed.run<'storm'>({ kind: 'storm', connections, atOnce: AT_ONCE });
    return {
      ...usageFigures(result, result.connected),
      connections,
      firstPerSecond: result.firstPerSecond,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      refused: result.refused,
    };
  },
};
