/** Many retained messages: what they cost, and what it costs to ask for one, for a thousand, for all. */

import { type BedScenario, count, decimals, errors, type Figures } from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import { usageFigures } from '../bed/usage-figures.js';
import type { BenchOptions } from '../bench-options.js';
import type { LookUpResult, RetainedQuestion } from '../generator/look-up-job.js';

/** What a sensor says last: a number, its unit, a time. */
const PAYLOAD_BYTES = 30;
const LONGEST_RETAIN_MS = 300_000;

/**
 * For Millrace, which retains a million by default, its own about itself among them, and forgets what exceeds that. Means nothing to others,
 * which have no limit.
 */
export const UNLIMITED = { MILLRACE__RETAINED__MAX_MESSAGES: '1000000000', MILLRACE__RETAINED__MAX_BYTES: '1TiB' };

export const retained: BedScenario = {
  name: 'retained',
  peers: 'volatile',
  variesBy: ['protocol', 'transport'],
  method:
    `retained messages (--retained) of ${PAYLOAD_BYTES} bytes, a topic each, published at QoS 1; then 50,000 SUBSCRIBEs to one topic each, ` +
    'and the same to topics without a message, the difference being the look-up and the delivery; 200 to a level with a thousand ' +
    'topics; one to everything; a slow broker is asked less. µs are processor time of the broker',
  cost: 'exactMicroseconds',
  columns: [
    count('messages', 'messages'),
    count('retained/s', 'retainedPerSecond'),
    decimals('CPU µs each', 'retainMicroseconds'),
    count('bytes each', 'bytesEach'),
    decimals('exact µs', 'exactMicroseconds'),
    decimals('without one µs', 'absentMicroseconds'),
    decimals('of it message µs', 'lookUpMicroseconds'),
    decimals('wildcard µs/msg', 'levelMicroseconds'),
    count('wildcard msgs/s', 'levelPerSecond'),
    decimals('all µs/msg', 'everythingMicroseconds'),
    count('all msgs/s', 'everythingPerSecond'),
    errors('missing', 'missing'),
    errors('foreign', 'foreign'),
  ],
  connections: () => 12,
  run: async (bed, options): Promise<Figures> => {
    await bed.start(UNLIMITED);
    const messages = options.retained;
    await lookUp(bed, options, 1, 'absent');
    await settle(options);
    const before = bed.residentBytes();
    const kept = await bed.run<'retain'>({
      kind: 'retain',
      messages,
      payloadBytes: PAYLOAD_BYTES,
      longestMs: LONGEST_RETAIN_MS,
    });
    await settle(options);
    const after = bed.residentBytes();
    const absent = await lookUp(bed, options, messages, 'absent');
    const exact = await lookUp(bed, options, messages, 'exact');
    const level = await lookUp(bed, options, messages, 'level');
    const everything = await lookUp(bed, options, messages, 'everything');
    const retain = usageFigures(kept, messages);
    const exactMicroseconds = usageFigures(exact, exact.subscribes).cpuMicroseconds;
    const absentMicroseconds = usageFigures(absent, absent.subscribes).cpuMicroseconds;
    return {
      messages,
      retainedPerSecond: retain.perSecond,
      retainMicroseconds: retain.cpuMicroseconds,
      bytesEach: before === undefined || after === undefined ? undefined : (after - before) / messages,
      exactMicroseconds,
      absentMicroseconds,
      lookUpMicroseconds:
        exactMicroseconds === undefined || absentMicroseconds === undefined
          ? undefined
          : exactMicroseconds - absentMicroseconds,
      ...deliveryFigures('level', level),
      ...deliveryFigures('everything', everything),
      ...accountsOf([absent, exact, level, everything]),
    };
  },
};

/** Questions of one kind, until all of them are asked or the measured time of the options is over. */
export function lookUp(
  bed: TestBed,
  { measuredMs }: BenchOptions,
  messages: number,
  asks: RetainedQuestion,
): Promise<LookUpResult> {
  return bed.run<'look-up'>({ kind: 'look-up', messages, asks, longestMs: measuredMs });
}

/** Messages that did not come, and such as nobody asked for. */
export function accountsOf(results: readonly LookUpResult[]): Figures {
  return {
    missing: results.reduce((sum, { expected, delivered }) => sum + expected - delivered, 0),
    foreign: results.reduce((sum, { foreign }) => sum + foreign, 0),
  };
}

function deliveryFigures(name: string, result: LookUpResult): Figures {
  const { perSecond, cpuMicroseconds } = usageFigures(result, result.delivered);
  return { [`${name}Microseconds`]: cpuMicroseconds, [`${name}PerSecond`]: perSecond };
}

function settle({ settleMs }: BenchOptions): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}
