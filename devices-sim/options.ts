/** The command line: from words to checked options. Every limit and default of the simulator stands here. */
import { parseArgs } from 'node:util';
import { UsageError } from './errors.js';

export type ProtocolChoice = '4' | '5' | 'mixed';
export type QoS = 0 | 1 | 2;

export interface SimulatorOptions {
  readonly url: URL;
  readonly protocol: ProtocolChoice;
  /** Connections to open; undefined: one for each station of the data set. */
  readonly devices: number | undefined;
  /** Readings that each device sends at most, or in one pass of a loop. */
  readonly readings: number;
  readonly readingsPerSecond: number;
  /** Ignore `readingsPerSecond` and send as fast as the broker acknowledges. */
  readonly fullSpeed: boolean;
  readonly qos: QoS;
  /** Readings of one device that may wait for their acknowledgement. */
  readonly inFlight: number;
  readonly connectsPerSecond: number;
  readonly seed: number;
  /** Names the run in topics and client ids; undefined: a fresh one. */
  readonly run: string | undefined;
  /** How long nothing may move before the run is given up. */
  readonly patienceSeconds: number;
  readonly loop: boolean;
  readonly keepStatus: boolean;
  readonly help: boolean;
}

const FLAGS = {
  url: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
  protocol: { type: 'string', default: 'mixed' },
  devices: { type: 'string' },
  // 120 readings at 5 a second: a run of 24 seconds
  readings: { type: 'string', default: '120' },
  rate: { type: 'string', default: '5' },
  speed: { type: 'string', default: 'steady' },
  qos: { type: 'string', default: '1' },
  // enough to show a broker that reorders, small enough for any Receive Maximum in use
  'in-flight': { type: 'string', default: '4' },
  // a fleet of 68 is there within half a second, and no broker's listen queue overflows
  ramp: { type: 'string', default: '200' },
  seed: { type: 'string', default: '1' },
  run: { type: 'string' },
  // longer than the restart of a broker
  patience: { type: 'string', default: '10' },
  loop: { type: 'boolean', default: false },
  'keep-status': { type: 'boolean', default: false },
  'allow-remote': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const SCHEMES = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/**
 * @param words the command line without the interpreter and the script
 * @throws UsageError when a flag is unknown, a value is out of its range, or the target is not this machine
 */
export function parseOptions(words: readonly string[]): SimulatorOptions {
  const flags = parseFlags(words);
  const url = parseUrl(flags.url);
  if (!flags['allow-remote'] && !isLoopback(url.hostname)) {
    throw new UsageError(
      `${url.hostname} is not this machine. The simulator loads a broker with real traffic, so it leaves this machine only with --allow-remote.`,
    );
  }
  return {
    url,
    protocol: oneOf('protocol', flags.protocol, ['4', '5', 'mixed']),
    devices: flags.devices === undefined ? undefined : integer('devices', flags.devices, 1, 20_000),
    readings: integer('readings', flags.readings, 1, 1_000_000),
    readingsPerSecond: numberWithin('rate', flags.rate, 0.001, 10_000),
    fullSpeed: oneOf('speed', flags.speed, ['steady', 'max']) === 'max',
    qos: Number(oneOf('qos', flags.qos, ['0', '1', '2'])) as QoS,
    inFlight: integer('in-flight', flags['in-flight'], 1, 65_535),
    connectsPerSecond: numberWithin('ramp', flags.ramp, 1, 100_000),
    seed: integer('seed', flags.seed, 0, 2 ** 32 - 1),
    run: flags.run === undefined ? undefined : runName(flags.run),
    patienceSeconds: numberWithin('patience', flags.patience, 0.1, 3600),
    loop: flags.loop,
    keepStatus: flags['keep-status'],
    help: flags.help,
  };
}

function parseFlags(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // only the first sentence: the rest of Node's message is advice for positional arguments, which there are none of
    const [sentence = 'the command line cannot be read'] = (cause as Error).message.split('. ');
    throw new UsageError(`${sentence.replace(/\.$/, '')}.`, { cause });
  }
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text) || !SCHEMES.includes(new URL(text).protocol) || new URL(text).hostname === '') {
    throw new UsageError(`--url takes mqtt://, mqtts://, ws:// or wss:// and a host, not "${text}".`);
  }
  return new URL(text);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function oneOf<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new UsageError(`--${flag} takes one of ${choices.join(', ')}, not "${text}".`);
  return choice;
}

function numberWithin(flag: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= least && value <= most)) {
    throw new UsageError(`--${flag} takes a number from ${least} to ${most}, not "${text}".`);
  }
  return value;
}

function integer(flag: string, text: string, least: number, most: number): number {
  const value = numberWithin(flag, text, least, most);
  if (!Number.isInteger(value)) throw new UsageError(`--${flag} takes a whole number, not "${text}".`);
  return value;
}

function runName(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(text)) {
    throw new UsageError(`--run takes 1 to 32 letters, digits, "-" or "_", not "${text}".`);
  }
  return text;
}
