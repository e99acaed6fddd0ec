/** What a message leaves to the garbage collector, and how long that holds the broker up under full load. */
import { join } from 'node:path';
import { type BedScenario, count, decimals, errors, type Figures, share } from '../bed/bed-scenario.js';
import { BenchFailure } from '../bench-failure.js';
import { loadScenarioByName } from '../load-scenarios.js';
import { probeEnvironment } from '../probe/probe-environment.js';
import { figuresOf, runLoadJob } from './load-scenario.js';

const LOAD = 'fan-in';

export const garbage: BedScenario = {
  name: 'garbage',
  peers: 'volatile',
  needs: ['a process of Node'],
  qos: [0, 1, 2],
  method:
    'the load of fan-in, to one subscriber, into a broker with a module of the benchmark in its process (--import), which profiles the ' +
    'collections of V8: bytes on the heap of JavaScript that were allocated in the window, by messages; and the longest of the pauses',
  saturates: true,
  cost: 'bytesPerMessage',
  drawn: ['longestPauseMs'],
  columns: [
    count('msgs/s', 'deliveredPerSecond'),
    count('heap bytes/msg', 'bytesPerMessage'),
    count('collections', 'collections'),
    decimals('longest pause ms', 'longestPauseMs'),
    share('of the time', 'pauseShare'),
    decimals('CPU µs/msg', 'cpuMicroseconds'),
    errors('lost', 'lost'),
    share('broker busy', 'brokerBusy'),
    share('generator busy', 'generatorBusy'),
  ],
  connections: () => 101,
  run: async (bed, options, trial): Promise<Figures> => {
    const probeFile = join(bed.directory, 'garbage.json');
    await bed.start(probeEnvironment(probeFile));
    const result = await runLoadJob(bed, options, LOAD, trial, { probeFile });
    if (result.garbage === undefined) throw new BenchFailure('the probe has said nothing');
    const { allocatedBytes, collections, longestPauseMs, pausesMs } = result.garbage;
    return {
      ...figuresOf(loadScenarioByName(LOAD), result),
      bytesPerMessage: allocatedBytes / result.published,
      collections,
      longestPauseMs,
      pauseShare: pausesMs / 1000 / result.seconds,
    };
  },
};
