/** The command line of the benchmark, checked and with its defaults. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { BenchFailure } from './bench-failure.js';
import type { BenchOptions } from './bench-options.js';
import type { Protocol, Qos } from './generator/frames.js';
import { STAMP_BYTES } from './generator/publish-batch.js';
import { EVERY_TRANSPORT, type Transport } from './generator/transport.js';
import { DEFAULT_SCENARIOS, FAMILIES, resolveNames, TOPICS } from './scenario-list.js';
import { variantsOf } from './variant.js';

export const USAGE = `npm run bench -- [options]

  --scenario LIST           default: ${DEFAULT_SCENARIOS.join(', ')}. A family stands for all of it:
${familyLines()}
                            and ${TOPICS}, which has no broker. queues and growth-backlog: Millrace only
  --qos LIST                0, 1, 2 (default: all that the scenario has)
  --peer LIST               millrace, aedes, mosquitto, ceiling, external
                            (default: the first three, and the others when given below);
                            millrace-rules, millrace-rules-each: with rules of access;
                            in durable scenarios millrace, millrace-os, millrace-memory,
                            aedes, mosquitto (default: all)
  --runs N                  rounds; in each round every peer has its turn (default: 3)
  --seconds S               measured time of a run (default: 5)
  --warm-up S               time before it (default: 1)

  Lists of these make variants, which take turns like peers, so that ratios between them hold:
  --protocol LIST           4 is MQTT 3.1.1, 5 is MQTT 5 (default: 4)
  --transport LIST          tcp, tls, ws, wss (default: tcp)
  --properties LIST         User Properties in each message, MQTT 5 only (default: 0)
  --payload LIST            bytes, from ${STAMP_BYTES} on (default: 100)

  --window N                messages of one publisher on the way (default: by scenario)
  --batch N                 messages in one write (default: by scenario)
  --connections N           of idle, connect-storm and login-storm (default: 10000)
  --devices N               of paced (default: 5000)
  --retained N              messages of retained (default: 1000000)
  --subscriptions N         of subscriptions (default: 1000000)
  --largest N               growth: no point beyond it (default: 1000000)
  --settle S                pause before memory is read (default: 3)
  --data-directory DIR      where brokers have their files, in a folder that is removed after the run
                            (default: the system's for temporary files)
  --offline-sessions N      of durable-fan-out (default: 1000)
  --published N             messages that durable-fan-out ends with, if --seconds do not (default: 1000000)
  --drained N               messages queued for drain and drain-many together (default: 500000)
  --rate N                  messages a second of ack-latency (default: 10000)
  --queued N                messages of restart-messages, queue-restart and the deep group of queue-groups (default: 1000000)
  --backlog N               messages of queue-backlog (default: 5000000)
  --stored-sessions N       of restart-sessions (default: 100000)
  --ceiling FILE            a bare relay, started as node FILE PORT
  --external HOST:PORT      a broker that runs already; no CPU time
  --millrace-command LINE   instead of the built command line; PORT in it stands for the port,
                            DATA for the directory
  --no-pin                  leave the choice of cores to the scheduler
  --json FILE               write every run, the machine and the method
  --html FILE               write a page with tables and charts, which needs no network
  --help
`;

/** Sequence numbers have 32 bits, and the ledger of a run has to fit into memory. */
const MOST_MESSAGES = 1_000_000_000;

/**
 * @returns undefined when help was asked for
 * @throws BenchFailure when a value makes no sense; TypeError when there is no such option
 */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: DEFAULT_SCENARIOS.join(',') },
      qos: { type: 'string', default: '0,1,2' },
      peer: { type: 'string' },
      protocol: { type: 'string', default: '4' },
      transport: { type: 'string', default: 'tcp' },
      properties: { type: 'string', default: '0' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '1' },
      payload: { type: 'string', default: '100' },
      window: { type: 'string' },
      batch: { type: 'string' },
      connections: { type: 'string', default: '10000' },
      devices: { type: 'string', default: '5000' },
      retained: { type: 'string', default: '1000000' },
      subscriptions: { type: 'string', default: '1000000' },
      largest: { type: 'string', default: '1000000' },
      settle: { type: 'string', default: '3' },
      'data-directory': { type: 'string', default: tmpdir() },
      'offline-sessions': { type: 'string', default: '1000' },
      published: { type: 'string', default: '1000000' },
      drained: { type: 'string', default: '500000' },
      rate: { type: 'string', default: '10000' },
      queued: { type: 'string', default: '1000000' },
      backlog: { type: 'string', default: '5000000' },
      'stored-sessions': { type: 'string', default: '100000' },
      ceiling: { type: 'string' },
      external: { type: 'string' },
      'millrace-command': { type: 'string' },
      'no-pin': { type: 'boolean', default: false },
      json: { type: 'string' },
      html: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const variants = variantsOf({
    protocols: list(values.protocol).map((text) => wholeNumber('protocol', text, 4, 5) as Protocol),
    transports: list(values.transport).map(transportOf),
    userProperties: list(values.properties).map((text) => wholeNumber('properties', text, 0, 100)),
    payloads: list(values.payload).map((text) => wholeNumber('payload', text, STAMP_BYTES, 1_000_000)),
  });
  const [first] = variants;
  if (first === undefined)
    throw new BenchFailure('--protocol, --transport, --properties and --payload leave nothing to do');
  return {
    ...first,
    variants,
    scenarios: resolveNames(list(values.scenario)),
    qos: list(values.qos).map((text) => wholeNumber('qos', text, 0, 2) as Qos),
    peers: values.peer === undefined ? undefined : list(values.peer),
    runs: wholeNumber('runs', values.runs, 1, 100),
    measuredMs: milliseconds('seconds', values.seconds),
    warmUpMs: milliseconds('warm-up', values['warm-up']),
    windowMessages: values.window === undefined ? undefined : wholeNumber('window', values.window, 1, 30_000),
    batchMessages: values.batch === undefined ? undefined : wholeNumber('batch', values.batch, 1, 10_000),
    connections: wholeNumber('connections', values.connections, 1, 25_000),
    devices: wholeNumber('devices', values.devices, 1, 25_000),
    retained: wholeNumber('retained', values.retained, 1, 100_000_000),
    subscriptions: wholeNumber('subscriptions', values.subscriptions, 1, 100_000_000),
    largest: wholeNumber('largest', values.largest, 1, MOST_MESSAGES),
    settleMs: milliseconds('settle', values.settle),
    dataDirectory: values['data-directory'],
    offlineSessions: wholeNumber('offline-sessions', values['offline-sessions'], 1, 10_000),
    published: wholeNumber('published', values.published, 1, MOST_MESSAGES),
    drained: wholeNumber('drained', values.drained, 1, MOST_MESSAGES),
    messagesPerSecond: wholeNumber('rate', values.rate, 1, 1_000_000),
    queued: wholeNumber('queued', values.queued, 1, MOST_MESSAGES),
    backlog: wholeNumber('backlog', values.backlog, 1, MOST_MESSAGES),
    storedSessions: wholeNumber('stored-sessions', values['stored-sessions'], 1, 10_000_000),
    ceilingFile: values.ceiling,
    externalAddress: values.external,
    millraceCommand: values['millrace-command'],
    pin: !values['no-pin'],
    jsonFile: values.json,
    htmlFile: values.html,
  };
}

function familyLines(): string {
  return [...FAMILIES].map(([family, names]) => `${' '.repeat(28)}${family}: ${names.join(', ')}`).join('\n');
}

/** @throws BenchFailure when there is none of that name */
function transportOf(text: string): Transport {
  const transport = EVERY_TRANSPORT.find((name) => name === text);
  if (transport === undefined) throw new BenchFailure(`--transport takes ${EVERY_TRANSPORT.join(', ')}, not '${text}'`);
  return transport;
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function wholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < lowest || value > highest) {
    throw new BenchFailure(`--${option} takes a whole number from ${lowest} to ${highest}, not '${text}'`);
  }
  return value;
}

function milliseconds(option: string, text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0) || seconds > 3600) throw new BenchFailure(`--${option} takes seconds, not '${text}'`);
  return Math.round(seconds * 1000);
}
