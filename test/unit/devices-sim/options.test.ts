import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../devices-sim/options.js';

describe('parseOptions', () => {
  it('has the defaults that the guide gives', () => {
    const { url, ...rest } = parseOptions([]);
    expect(url.href).toBe('mqtt://127.0.0.1:1883');
    expect(rest).toEqual({
      protocol: 'mixed',
      devices: undefined,
      readings: 120,
      readingsPerSecond: 5,
      fullSpeed: false,
      qos: 1,
      inFlight: 4,
      connectsPerSecond: 200,
      seed: 1,
      run: undefined,
      patienceSeconds: 10,
      loop: false,
      keepStatus: false,
      help: false,
    });
  });

  it('takes both ways to write a value', () => {
    expect(parseOptions(['--qos=2', '--speed', 'max', '--run', 'night_1'])).toMatchObject({
      qos: 2,
      fullSpeed: true,
      run: 'night_1',
    });
  });

  it.each([
    [['--unknown'], "Unknown option '--unknown'."],
    [['--qos', '3'], '--qos takes one of 0, 1, 2, not "3".'],
    [['--protocol', '3'], '--protocol takes one of 4, 5, mixed, not "3".'],
    [['--devices', '0'], '--devices takes a number from 1 to 20000, not "0".'],
    [['--devices', '1.5'], '--devices takes a whole number, not "1.5".'],
    [['--rate', ''], '--rate takes a number from 0.001 to 10000, not "".'],
    [['--rate', 'fast'], '--rate takes a number from 0.001 to 10000, not "fast".'],
    [['--run', 'a/b'], '--run takes 1 to 32 letters, digits, "-" or "_", not "a/b".'],
    [
      ['--url', 'http://127.0.0.1'],
      '--url takes mqtt://, mqtts://, ws:// or wss:// and a host, not "http://127.0.0.1".',
    ],
    [['--url', '127.0.0.1:1883'], '--url takes mqtt://, mqtts://, ws:// or wss:// and a host, not "127.0.0.1:1883".'],
  ])('refuses %j with a sentence', (words, sentence) => {
    expect(() => parseOptions(words)).toThrow(sentence);
  });

  it.each(['mqtt://localhost:1', 'mqtt://127.9.9.9', 'ws://[::1]:8083/mqtt'])('takes %s as this machine', (url) => {
    expect(() => parseOptions(['--url', url])).not.toThrow();
  });

  it.each(['mqtt://10.0.0.1', 'mqtt://127.0.0.1.example.com', 'mqtt://localhost.example.com'])(
    'leaves this machine for %s only when told to',
    (url) => {
      expect(() => parseOptions(['--url', url])).toThrow('only with --allow-remote');
      expect(parseOptions(['--url', url, '--allow-remote']).url.href).toBe(url);
    },
  );
});
