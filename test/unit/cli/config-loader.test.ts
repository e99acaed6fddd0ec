import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/broker/broker-options.js';
import { DEFAULT_DEFENCE } from '../../../src/broker/defence/defence-options.js';
import { brokerLimits } from '../../../src/cli/broker-limits.js';
import { type Configuration, loadConfiguration } from '../../../src/cli/config-loader.js';
import { printConfiguration } from '../../../src/cli/config-printer.js';
import { ConfigurationError } from '../../../src/cli/configuration-error.js';
import { defenceOptions } from '../../../src/cli/defence-options.js';

const directory = mkdtempSync(join(tmpdir(), 'millrace-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const FILE = join(directory, 'config.yaml');

interface Sources {
  readonly yaml?: string | Buffer;
  readonly environment?: Record<string, string>;
  readonly flags?: Record<string, string>;
}

function load({ yaml, environment = {}, flags = {} }: Sources): Configuration {
  if (yaml !== undefined) writeFileSync(FILE, yaml);
  const file = yaml === undefined ? undefined : FILE;
  return loadConfiguration({ file, environment, flags: new Map(Object.entries(flags)) });
}

/** The problems, one a line, with the file's directory left out. */
function problemsOf(sources: Sources): string[] {
  try {
    load(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).code).toBe('ERR_CONFIGURATION');
    return (error as ConfigurationError).message.replaceAll(`${directory}/`, '').split('\n');
  }
  return [];
}

describe('without any configuration', () => {
  test('every limit of the broker has its own default', () => {
    expect(brokerLimits(load({}).settings)).toEqual(DEFAULT_LIMITS);
    expect(defenceOptions(load({}).settings)).toEqual(DEFAULT_DEFENCE);
  });

  test('MQTT listens on loopback, over TCP and WebSocket, and nothing is said about anonymous clients', () => {
    const { listeners, auth, log } = load({}).settings;
    const tls = expect.not.objectContaining({ certificate: expect.anything() });
    expect(listeners).toMatchObject({
      tcp: { kind: 'tcp', host: '127.0.0.1', port: 1883, maxConnections: 100_000, enabled: true, tls },
      ws: { kind: 'ws', host: '127.0.0.1', port: 8083, path: '/mqtt', maxConnections: 100_000, enabled: true, tls },
    });
    expect(auth.anonymous).toBeUndefined();
    expect(Object.keys(listeners)).toEqual(['tcp', 'ws']);
    expect(log).toEqual({ level: 'info', format: 'auto', audit: 'failures' });
  });

  test.each(['', '# only a comment\n', '---\n', 'null\n', 'mqtt:\nlisteners:\n  tcp:\n'])(
    '%j is as good as no file',
    (yaml) => {
      expect(load({ yaml }).settings).toEqual(load({}).settings);
    },
  );
});

describe('the sources', () => {
  const yaml = 'listeners:\n  tcp: { port: 2000 }\n  ws: { port: 2001 }\nmqtt: { maxInflight: 20 }\n';

  test('the file wins over defaults, the environment over the file, a flag over all', () => {
    const environment = { MILLRACE__LISTENERS__TCP__PORT: '3000', MILLRACE__LISTENERS__WS__PORT: '3001' };
    const { settings } = load({ yaml, environment, flags: { port: '0' } });
    expect(settings.listeners.tcp.port).toBe(0);
    expect(settings.listeners.ws.port).toBe(3001);
    expect(settings.mqtt.maxInflight).toBe(20);
    expect(settings.mqtt.receiveMaximum).toBe(1024);
  });

  test('each part of a listener is set on its own', () => {
    const { listeners } = load({ yaml: 'listeners: { tcp: { host: "::" } }' }).settings;
    expect(listeners.tcp).toMatchObject({ kind: 'tcp', host: '::', port: 1883 });
    expect(listeners.ws.enabled).toBe(true);
  });

  test.each(['MILLRACE__MQTT__MAX_PACKET_SIZE', 'MILLRACE__MQTT__MAXPACKETSIZE', 'millrace__mqtt__maxPacketSize'])(
    '%s is mqtt.maxPacketSize',
    (name) => {
      expect(load({ environment: { [name]: '2MiB' } }).settings.mqtt.maxPacketSize).toBe(2 * 1024 * 1024);
    },
  );

  test('the environment reaches into a listener of the file, and can add one', () => {
    const environment = {
      MILLRACE__LISTENERS__MY_LAN__PORT: '4000',
      MILLRACE__LISTENERS__EDGE__KIND: 'ws',
      MILLRACE__LISTENERS__EDGE__PORT: '4001',
      MILLRACE__AUTH__ANONYMOUS: 'false',
      MILLRACE__SYS__INTERVAL: '1m',
      MILLRACE_PORT: 'tcp://10.0.0.1:1883',
    };
    const { listeners, auth, sys } = load({ yaml: 'listeners: { myLan: { kind: tcp } }', environment }).settings;
    expect(listeners).toMatchObject({
      myLan: { kind: 'tcp', port: 4000 },
      edge: { kind: 'ws', port: 4001, path: '/mqtt' },
    });
    expect(auth.anonymous).toBe(false);
    expect(sys.interval).toBe(60);
  });

  test('--host is the host of both listeners, IPv6 without quotes', () => {
    const { listeners } = load({ flags: { host: '::' } }).settings;
    expect([listeners.tcp.host, listeners.ws.host]).toEqual(['::', '::']);
  });

  test('durations and sizes reach the broker in its units', () => {
    const limits = brokerLimits(
      load({
        yaml: 'mqtt: { connectTimeout: 1.5, maxSessionExpiry: 2h, mqtt3SessionExpiry: never }\nlimits: { slowConsumerGrace: 50ms, outboundHardLimit: 10MB }',
      }).settings,
    );
    expect(limits).toMatchObject({
      connectTimeoutMs: 1500,
      sessionExpiryMaximumSeconds: 7200,
      mqtt3SessionExpirySeconds: 0xffffffff,
      slowConsumerGraceMs: 50,
      outboundHardLimitBytes: 10_000_000,
    });
  });

  test('printing names the origin of each value, and what is printed loads to the same settings', () => {
    const configuration = load({
      yaml,
      environment: { MILLRACE__MQTT__CONNECT_TIMEOUT: '500ms' },
      flags: { 'log-level': 'debug' },
    });
    const printed = printConfiguration(configuration).replaceAll(`${directory}/`, '');
    expect(printed).toContain('    port: 2000 # config.yaml:2:16\n');
    expect(printed).toContain('  connectTimeout: 500ms # environment MILLRACE__MQTT__CONNECT_TIMEOUT\n');
    expect(printed).toContain('  level: debug # flag --log-level\n');
    expect(printed).toContain('  maxSessionExpiry: never # default\n');
    expect(printed).toContain('  # anonymous: # default, not set\n');
    expect(load({ yaml: printed }).settings).toEqual(configuration.settings);
  });
});

describe('auth', () => {
  test.each([
    ['jwt: { issuer: x }', 'auth.jwt.issuer has no effect without secretFile, keyFile or jwksUrl'],
    ['jwt: { algorithms: [RS256] }', 'auth.jwt.algorithms has no effect without secretFile, keyFile or jwksUrl'],
    ['jwt: { algorithms: [none] }', 'auth.jwt.algorithms[0]: expected one of HS256, HS384'],
    ['jwt: { jwksUrl: "http://example.com/keys" }', 'auth.jwt.jwksUrl: expected a URL that begins with https://'],
    [
      'jwt: { jwksUrl: "https://user:hunter2@example.com/" }',
      'auth.jwt.jwksUrl: expected a URL that begins with https://',
    ],
    ['http: { url: "ftp://example.com" }', 'auth.http.url: expected a URL that begins with https:// or http://'],
    ['http: { headersFile: x }', 'auth.http.headersFile has no effect without url'],
    ['passwordFile: /nonexistent', 'auth.passwordFile: /nonexistent: there is no such file'],
  ])('with %s is told what is wrong', (yaml, problem) => {
    const problems = problemsOf({ yaml: `auth: { ${yaml} }` });
    expect(problems.join('\n')).toContain(problem);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('takes keys from this machine without TLS', () => {
    const yaml = 'auth: { jwt: { jwksUrl: "http://[::1]:8000/keys", issuer: x } }';
    expect(load({ yaml }).settings.auth.jwt.jwksUrl).toBe('http://[::1]:8000/keys');
  });
});

describe('auth.scram', () => {
  const users = join(directory, 'users');
  const line = (user: string): string =>
    `${user}:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n`;
  const yaml = `auth:\n  scram: ${users}\n`;

  test('is read with the configuration', () => {
    writeFileSync(users, `# ours\n${line('alice')}${line('bob')}`);
    expect([...(load({ yaml }).authFiles.scram?.get('SCRAM-SHA-256')?.keys() ?? [])]).toEqual(['alice', 'bob']);
    expect(load({}).authFiles.scram).toBeUndefined();
  });

  test('that is wrong is told by line and column, after the problems of the file', () => {
    writeFileSync(users, `${line('alice')}bob:secret\n${line('carol').replace('SHA-256', 'SHA256')}`);
    expect(problemsOf({ yaml: `${yaml}lgo: 1` })).toEqual([
      'config.yaml:3:1: lgo: unknown setting - did you mean "log"?',
      'users:2:1: expected USER:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY, as millrace scram prints it',
      'users:3:7: expected SCRAM-SHA-256 or SCRAM-SHA-512 - did you mean "SCRAM-SHA-256"?',
    ]);
  });

  test('that is another kind of file is not told line by line', () => {
    writeFileSync(users, 'x\n'.repeat(1000));
    const problems = problemsOf({ yaml });
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('users: 980 problems more');
  });

  test('that is not there is a problem of the setting', () => {
    expect(problemsOf({ yaml: `auth: { scram: ${users}.no }` })).toEqual([
      'config.yaml:1:16: auth.scram: users.no: there is no such file',
    ]);
    expect(problemsOf({ yaml: 'auth: { scram: [] }' })).toEqual([
      'config.yaml:1:16: auth.scram: expected the path of a file, found a list',
    ]);
  });
});

describe('a problem', () => {
  const range = 'a size from 256B to 256MiB (such as 65536, 64KB or 1MiB)';
  const seconds = 'a duration from 0s to 65535s (such as 10, "10s" or "5m", in whole seconds)';

  test.each<[string, string, string]>([
    ['an unknown section', 'lgo: 1', 'config.yaml:1:1: lgo: unknown setting - did you mean "log"?'],
    [
      'an unknown setting',
      'mqtt:\n  max_packet: 1',
      'config.yaml:2:3: mqtt.max_packet: unknown setting - did you mean "maxPacketSize"?',
    ],
    [
      'an unknown setting of a listener',
      'listeners:\n  tcp:\n    maxConection: 1',
      'config.yaml:3:5: listeners.tcp.maxConection: unknown setting - did you mean "maxConnections"?',
    ],
    [
      'a setting in the wrong place',
      'port: 1',
      'config.yaml:1:1: port: unknown setting - did you mean "listeners.tcp.port"?',
    ],
    ['a setting like no other', 'mqtt:\n  zzzzzzzzz: 1', 'config.yaml:2:3: mqtt.zzzzzzzzz: unknown setting'],
    ['a key that is special to JavaScript', '__proto__: 1', 'config.yaml:1:1: __proto__: unknown setting'],
    [
      'a wrong size',
      'mqtt:\n  maxPacketSize: lots',
      `config.yaml:2:18: mqtt.maxPacketSize: expected ${range}, found "lots"`,
    ],
    [
      'a size out of range',
      'mqtt:\n  maxPacketSize: 1GiB',
      `config.yaml:2:18: mqtt.maxPacketSize: expected ${range}, found "1GiB"`,
    ],
    [
      'a size of the wrong type',
      'mqtt:\n  maxPacketSize: [1]',
      `config.yaml:2:18: mqtt.maxPacketSize: expected ${range}, found a list`,
    ],
    ['no value', 'mqtt:\n  maxPacketSize:', `config.yaml:2:3: mqtt.maxPacketSize: expected ${range}, found nothing`],
    [
      'a fraction of a second',
      'mqtt: { maxKeepAlive: 0.5 }',
      `config.yaml:1:23: mqtt.maxKeepAlive: expected ${seconds}, found 0.5`,
    ],
    [
      'a number too large',
      'mqtt: { receiveMaximum: 65536 }',
      'config.yaml:1:25: mqtt.receiveMaximum: expected a whole number from 1 to 65535, found 65536',
    ],
    [
      'not a boolean',
      'auth: { anonymous: yes }',
      'config.yaml:1:20: auth.anonymous: expected true or false, found "yes"',
    ],
    [
      'not one of the words',
      'log: { level: loud }',
      'config.yaml:1:15: log.level: expected one of trace, debug, info, warn, error, fatal, silent, found "loud"',
    ],
    ['a list for a section', 'sys: [1]', 'config.yaml:1:6: sys: expected a map of settings, found a list'],
    [
      'a host with a port',
      'listeners: { tcp: { host: "a:1" } }',
      'config.yaml:1:27: listeners.tcp.host: expected a host name or an IP address without a port, found "a:1"',
    ],
    [
      'a path without /',
      'listeners: { ws: { path: mqtt } }',
      'config.yaml:1:26: listeners.ws.path: expected a path that begins with / and has no blank, ? or #, found "mqtt"',
    ],
    [
      'a path of a TCP listener',
      'listeners: { tcp: { path: /x } }',
      'config.yaml:1:27: listeners.tcp.path: only a listener of kind ws has a path',
    ],
    [
      'a listener without a kind',
      'listeners: { tpc: { port: 1 } }',
      'config.yaml:1:19: listeners.tpc.kind: expected one of tcp, ws, found nothing - did you mean "tcp"?',
    ],
    [
      'the name of a listener',
      'listeners: { "a b": { kind: ws, port: 1 } }',
      'config.yaml:1:14: listeners.a b: the name of a listener is up to 32 letters, digits and -, and begins with a letter',
    ],
    [
      'a key given twice',
      'log: { level: info, level: warn }',
      'config.yaml:1:21: log.level: set twice, first in line 1',
    ],
    ['a list at the top', '- 1', 'config.yaml:1:1: expected a map of sections such as "listeners:", found a list'],
    [
      'a word at the top',
      'hello',
      'config.yaml:1:1: expected a map of sections such as "listeners:", found a single value',
    ],
    ['broken YAML', 'log: "info', 'config.yaml:1:11: YAML: Missing closing "quote'],
    [
      'a hard limit below the soft one',
      'limits: { outboundHardLimit: 4MiB, outboundSoftLimit: 5MiB }',
      'config.yaml:1:30: limits.outboundHardLimit (4MiB) must be at least limits.outboundSoftLimit (5MiB)',
    ],
    [
      'a hard limit too low for the packets',
      'mqtt: { maxPacketSize: 5MiB }',
      'config.yaml:1:24: limits.outboundHardLimit (8MiB) must be at least twice mqtt.maxPacketSize (5MiB)',
    ],
    [
      'rests of the event loop that would be noticed',
      'limits: { wakeUps: 60 }',
      'config.yaml:1:20: limits.wakeUps (60) must be at least 500, or 0 for any number',
    ],
    [
      'two listeners on one port',
      'listeners: { ws: { port: 1883 } }',
      'config.yaml:1:26: listener "ws" (127.0.0.1:1883) and listener "tcp" (127.0.0.1:1883) cannot have the same address',
    ],
    [
      'a listener on every address over another',
      'listeners: { lan: { kind: tcp, host: 0.0.0.0, port: 8083 } }',
      'config.yaml:1:53: listener "lan" (0.0.0.0:8083) and listener "ws" (127.0.0.1:8083) cannot have the same address',
    ],
    [
      'HTTP on the port of a listener',
      'http: { port: 1883 }',
      'config.yaml:1:15: http (127.0.0.1:1883) and listener "tcp" (127.0.0.1:1883) cannot have the same address',
    ],
    [
      'no listener at all',
      'listeners: { tcp: { enabled: false }, ws: { enabled: false } }',
      'config.yaml:1:30: every listener is switched off, so no client could connect',
    ],
  ])('with %s has its place', (_, yaml, problem) => {
    expect(problemsOf({ yaml })).toEqual([problem]);
  });

  test.each<[Record<string, string>, string]>([
    [
      { MILLRACE__MQTT__MAX_PACKET_SIZ: '1' },
      'environment MILLRACE__MQTT__MAX_PACKET_SIZ: unknown setting - did you mean "MILLRACE__MQTT__MAX_PACKET_SIZE"?',
    ],
    [{ MILLRACE__XYZZY__X: '1' }, 'environment MILLRACE__XYZZY__X: unknown setting'],
    [{ MILLRACE__MQT__X: '1' }, 'environment MILLRACE__MQT__X: unknown setting - did you mean "MILLRACE__MQTT"?'],
    [{ MILLRACE__SYS: '1' }, 'environment MILLRACE__SYS: unknown setting - did you mean "MILLRACE__SYS__INTERVAL"?'],
    [{ MILLRACE__SYS__INTERVAL__X: '1' }, 'environment MILLRACE__SYS__INTERVAL__X: unknown setting'],
    [
      { MILLRACE__SYS__INTERVAL: '{a: 1}' },
      'environment MILLRACE__SYS__INTERVAL: sys.interval: expected one plain value, found "{a: 1}"',
    ],
    [
      { MILLRACE__MQTT__MAX_INFLIGHT: '' },
      'environment MILLRACE__MQTT__MAX_INFLIGHT: mqtt.maxInflight: expected a whole number from 1 to 32767, found nothing',
    ],
    [
      { MILLRACE__SYS__INTERVAL: '1', millrace__sys__interval: '2' },
      'environment millrace__sys__interval: sys.interval: set twice, also by MILLRACE__SYS__INTERVAL',
    ],
  ])('of the environment names the variable: %j', (environment, problem) => {
    expect(problemsOf({ environment })).toEqual([problem]);
  });

  test('of a flag names the flag', () => {
    expect(problemsOf({ flags: { port: 'abc' } })).toEqual([
      'flag --port: listeners.tcp.port: expected a whole number from 0 to 65535, found "abc"',
    ]);
    expect(problemsOf({ flags: { port: '8083' } })).toEqual([
      'flag --port: listener "ws" (127.0.0.1:8083) and listener "tcp" (127.0.0.1:8083) cannot have the same address',
    ]);
  });

  test('does not hide another: all sources, all kinds, in order', () => {
    const yaml = [
      'listeners:',
      '  tcp: { path: /x, port: 99999 }',
      '  lan: { port: 1884 }',
      '  "b d": { kind: ws, port: 1 }',
      'limits: { outboundHardLimit: 1KiB }',
      'mqtt: { maxPacketSize: lots, max_inflight: 3 }',
    ].join('\n');
    const environment = { MILLRACE__MQTT__MAX_PACKET_SIZE: '1MiB', MILLRACE__LOG__LEVEL: 'loud', MILLRACE__LOK: '1' };
    const places = problemsOf({ yaml, environment, flags: { 'ws-port': 'x' } }).map((problem) =>
      problem.split(': ').slice(0, 2),
    );
    expect(places).toEqual([
      ['config.yaml:2:16', 'listeners.tcp.path'],
      ['config.yaml:2:26', 'listeners.tcp.port'],
      ['config.yaml:3:8', 'listeners.lan.kind'],
      ['config.yaml:4:3', 'listeners.b d'],
      ['config.yaml:5:30', 'limits.outboundHardLimit (1KiB) must be at least limits.outboundSoftLimit (1MiB)'],
      ['config.yaml:5:30', 'limits.outboundHardLimit (1KiB) must be at least twice mqtt.maxPacketSize (1MiB)'],
      ['config.yaml:6:24', 'mqtt.maxPacketSize'],
      ['config.yaml:6:30', 'mqtt.max_inflight'],
      ['environment MILLRACE__LOG__LEVEL', 'log.level'],
      ['environment MILLRACE__LOK', 'unknown setting - did you mean "MILLRACE__LOG"?'],
      ['flag --ws-port', 'listeners.ws.port'],
    ]);
  });

  test('port 0 may be used by every listener, and a listener that is off collides with none', () => {
    expect(problemsOf({ flags: { port: '0', 'ws-port': '0' } })).toEqual([]);
    expect(problemsOf({ yaml: 'listeners: { ws: { port: 1883, enabled: false } }' })).toEqual([]);
  });
});

describe('a file that is not a configuration', () => {
  test('is missing, a directory, too large or not text: the error says which', () => {
    const problem = (file: string): string => {
      try {
        loadConfiguration({ file, environment: {}, flags: new Map() });
      } catch (error) {
        return (error as Error).message.replaceAll(directory, 'DIR');
      }
      return '';
    };
    expect(problem(join(directory, 'none.yaml'))).toBe('DIR/none.yaml: there is no such file');
    expect(problem(directory)).toBe('DIR: is a directory, not a file');
    expect(problemsOf({ yaml: `#${' '.repeat(1024 * 1024)}` })).toEqual(['config.yaml: is larger than 1MiB']);
    expect(problemsOf({ yaml: Buffer.from([0xff]) })).toEqual(['config.yaml: is not UTF-8 text']);
  });

  test('cannot exhaust the process by aliases or by nesting', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [name, from] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [...pair])) {
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${from}`).join(',')}]`);
    }
    expect(problemsOf({ yaml: bomb.join('\n') })).toEqual([
      'config.yaml: YAML: Excessive alias count indicates a resource exhaustion attack',
    ]);
    expect(problemsOf({ yaml: '['.repeat(100_000) })[0]).toMatch(/^config\.yaml:.*YAML: /);
  });
});
