import { describe, expect, it } from 'vitest';
import { entrantsOf, trialsOf } from '../../../bench/bed/bed-benchmark.js';
import type { BedScenario } from '../../../bench/bed/bed-scenario.js';
import type { BenchOptions } from '../../../bench/bench-options.js';
import { parseOptions, USAGE } from '../../../bench/options.js';
import type { Peer } from '../../../bench/peers/peer.js';
import { SCENARIOS } from '../../../bench/scenario-list.js';
import { describeVariant } from '../../../bench/variant.js';

function parse(...args: string[]): BenchOptions {
  const options = parseOptions(args);
  if (options === undefined) throw new TypeError('help');
  return options;
}

function scenario(name: string): BedScenario {
  return SCENARIOS.find((candidate) => candidate.name === name) as BedScenario;
}

const peer: Peer = {
  name: 'peer',
  protocols: [4],
  transports: ['tcp', 'ws'],
  qos: [0, 1],
  abilities: [],
  unavailable: undefined,
  source: { kind: 'external', host: 'nowhere', port: 1 },
};

describe('the options of the benchmark', () => {
  it('name every scenario once, and --help names them all', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(USAGE).toContain(name);
  });

  it('take families', () => {
    expect(parse('--scenario', 'growth').scenarios).toContain('growth-backlog');
    expect(() => parse('--scenario', 'nothing')).toThrow("no scenario 'nothing'");
  });

  it('make variants of lists, properties for MQTT 5 alone', () => {
    const { variants } = parse('--protocol', '4,5', '--transport', 'tcp,tls', '--properties', '0,4');
    expect(variants.map((variant) => describeVariant(variant))).toEqual([
      'MQTT 3.1.1, tcp, 100 B',
      'MQTT 3.1.1, tls, 100 B',
      'MQTT 5, tcp, 100 B',
      'MQTT 5, tcp, 100 B, 4 properties',
      'MQTT 5, tls, 100 B',
      'MQTT 5, tls, 100 B, 4 properties',
    ]);
  });

  it.each([
    [['--transport', 'udp'], 'tcp, tls, ws, wss'],
    [['--payload', '11'], '--payload takes'],
    [['--protocol', '3'], '--protocol takes'],
    [['--payload', ','], 'nothing to do'],
  ])('refuse %s', (args, reason) => {
    expect(() => parse(...args)).toThrow(reason);
  });
});

describe('who takes part', () => {
  const peers = { volatile: [peer], durable: [] };

  it('is left out of what it cannot do, with the reason', () => {
    const reasons: string[] = [];
    const options = parse('--protocol', '4,5', '--transport', 'tcp,wss');
    const entrants = entrantsOf(scenario('fan-in'), peers, options, (_, reason) => reasons.push(reason));
    expect(entrants.map(({ variant }) => describeVariant(variant))).toEqual(['MQTT 3.1.1, tcp, 100 B']);
    expect(reasons).toEqual(['is not measured over wss', 'does not speak MQTT 5', 'does not speak MQTT 5']);
  });

  it('is left out of what needs an ability that it has not', () => {
    const reasons: string[] = [];
    expect(entrantsOf(scenario('shared'), peers, parse(), (_, reason) => reasons.push(reason))).toEqual([]);
    expect(reasons).toEqual(['has not: shared subscriptions']);
  });

  it('runs once where variants do not differ in what the scenario tells apart', () => {
    const options = parse('--payload', '16,100', '--transport', 'tcp,ws');
    const entrants = entrantsOf(scenario('idle'), peers, options, () => {});
    expect(entrants.map(({ variant }) => variant.transport)).toEqual(['tcp', 'ws']);
  });

  it('has a trial for each QoS that the scenario has, and each point of the axis', () => {
    expect(trialsOf(scenario('paced'), parse())).toEqual([
      { qos: 0, at: undefined },
      { qos: 1, at: undefined },
    ]);
    expect(trialsOf(scenario('growth-payload'), parse('--qos', '1', '--largest', '64'))).toEqual([
      { qos: 1, at: 16 },
      { qos: 1, at: 64 },
    ]);
    expect(trialsOf(scenario('idle'), parse())).toEqual([{ qos: undefined, at: undefined }]);
  });
});
