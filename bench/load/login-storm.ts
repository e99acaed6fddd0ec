/** A fleet logs in with passwords, all at once: what those notice who are there already, and how long it takes. */
import {
  type BedScenario,
  count,
  decimals,
  errors,
  type FigureColumn,
  type Figures,
  megabytes,
  share,
  times,
} from '../bed/bed-scenario.js';
import type { TestBed } from '../bed/test-bed.js';
import type { BenchOptions } from '../bench-options.js';
import type { LoginStormResult, Phase, Storm } from '../generator/login-storm-job.js';

const PUBLISHERS = 50;
const MESSAGES_PER_SECOND = 5000;
/** In the first seconds the compiler of a broker on Node is at work, and a quiet phase would not be quiet. */
const WARM_UP_MS = 4000;
const QUIET_MS = 8000;
const LONGEST_STORM_MS = 180_000;

const COLUMNS: readonly FigureColumn[] = [
  count('clients', 'connections'),
  decimals('quiet p50 ms', 'quietP50Ms'),
  decimals('p99 ms', 'quietP99Ms'),
  decimals('longest ms', 'quietLongestMs'),
  decimals('generator late p99 ms', 'quietLateP99Ms'),
  ...stormColumns('storm', 'first'),
  ...stormColumns('again', 'second'),
  share('quiet broker busy', 'brokerBusy'),
  errors('lost', 'lost'),
  errors('dup', 'duplicated'),
  errors('reordered', 'reordered'),
  errors('foreign', 'foreign'),
  errors('unfinished', 'unfinished'),
  megabytes('RSS peak MB', 'peakResidentBytes'),
];

function stormColumns(heading: string, prefix: string): readonly FigureColumn[] {
  return [
    decimals(`${heading} p50 ms`, `${prefix}P50Ms`),
    decimals('p99 ms', `${prefix}P99Ms`),
    decimals('longest ms', `${prefix}LongestMs`),
    times('p99 × quiet', `${prefix}TimesQuiet`),
    decimals('late p99 ms', `${prefix}LateP99Ms`),
    decimals('all in s', `${prefix}Seconds`),
    errors('refused', `${prefix}Refused`),
    errors('dropped', `${prefix}Dropped`),
    errors('not in', `${prefix}Outside`),
    decimals('CPU µs/connect', `${prefix}ConnectMicroseconds`),
  ];
}

const METHOD =
  `${PUBLISHERS} publishers send ${MESSAGES_PER_SECOND.toLocaleString('en-US')} messages a second at QoS 1, a write for each, to one subscriber: ${QUIET_MS / 1000} s alone, while ` +
  'a fleet (--connections) logs in all at once, and while it does so again, having left. Who is refused or dropped comes again after 1 to 5 s. A latency ' +
  'counts from the moment a message was due to its arrival; CPU µs/connect is without what the broker used in the same time when it was quiet';

export const loginStorm: BedScenario = scenarioOf(
  'login-storm',
  `${METHOD}. Passwords are kept with PBKDF2 and 101 rounds, as mosquitto up to 2.0 writes them; a hundred different ones, each user checked apart`,
  'sha512-pbkdf2',
);

export const loginStormArgon2id: BedScenario = scenarioOf(
  'login-storm-argon2id',
  'as login-storm with passwords that are kept with argon2id in 46 MiB, as mosquitto 2.1 writes them',
  'argon2id',
);

function scenarioOf(name: string, method: string, hash: 'sha512-pbkdf2' | 'argon2id'): BedScenario {
  return {
    name,
    peers: 'volatile',
    needs: hash === 'argon2id' ? ['a password file', 'argon2id passwords'] : ['a password file'],
    variesBy: ['protocol', 'transport'],
    passwords: ({ connections }) => ({ hash, devices: connections }),
    method,
    cost: 'firstP99Ms',
    drawn: ['quietP99Ms', 'secondP99Ms', 'firstSeconds', 'firstConnectMicroseconds'],
    columns: COLUMNS,
    connections: ({ connections }) => connections + PUBLISHERS + 1,
    run,
  };
}

async function run(bed: TestBed, { payloadBytes, connections }: BenchOptions): Promise<Figures> {
  await bed.start();
  const load = { publishers: PUBLISHERS, messagesPerSecond: MESSAGES_PER_SECOND, payloadBytes };
  const limits = { warmUpMs: WARM_UP_MS, quietMs: QUIET_MS, longestStormMs: LONGEST_STORM_MS };
  const result = await bed.run<'login-storm'>({ kind: 'login-storm', connections, ...load, ...limits });
  return figuresOf(result, connections);
}

function figuresOf(result: LoginStormResult, connections: number): Figures {
  const { quiet, first, second, lost, duplicated, reordered, foreign, unfinished } = result;
  return {
    connections,
    quietP50Ms: quiet.p50Ms,
    quietP99Ms: quiet.p99Ms,
    quietLongestMs: quiet.longestMs,
    quietLateP99Ms: quiet.lateP99Ms,
    ...stormFigures('first', first, quiet, connections),
    ...stormFigures('second', second, quiet, connections),
    brokerBusy: quiet.brokerCpuMs === undefined ? undefined : quiet.brokerCpuMs / 1000 / quiet.seconds,
    lost,
    duplicated,
    reordered,
    foreign,
    unfinished,
    peakResidentBytes: second.peakResidentBytes,
  };
}

function stormFigures(prefix: string, storm: Storm, quiet: Phase, connections: number): Figures {
  const { seconds, connected, refused, dropped } = storm.login;
  const outside = connections - connected;
  return {
    [`${prefix}P50Ms`]: storm.p50Ms,
    [`${prefix}P99Ms`]: storm.p99Ms,
    [`${prefix}LongestMs`]: storm.longestMs,
    [`${prefix}TimesQuiet`]: storm.p99Ms / quiet.p99Ms,
    [`${prefix}LateP99Ms`]: storm.lateP99Ms,
    [`${prefix}Seconds`]: outside > 0 ? undefined : seconds,
    [`${prefix}Refused`]: refused,
    [`${prefix}Dropped`]: dropped,
    [`${prefix}Outside`]: outside,
    [`${prefix}ConnectMicroseconds`]: connectMicroseconds(storm, quiet),
  };
}

function connectMicroseconds(storm: Storm, quiet: Phase): number | undefined {
  if (storm.brokerCpuMs === undefined || quiet.brokerCpuMs === undefined) return undefined;
  const loadMs = (quiet.brokerCpuMs * storm.seconds) / quiet.seconds;
  return ((storm.brokerCpuMs - loadMs) * 1000) / storm.login.connected;
}
