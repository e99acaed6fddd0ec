import { describe, expect, test } from 'vitest';
import { coloursFor } from '../../../src/cli/colours.js';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { explainListenFailure } from '../../../src/cli/listen-failure.js';
import { listenerUrl } from '../../../src/cli/listener-url.js';
import { PrettyLog } from '../../../src/cli/pretty-log.js';
import type { OpenListener, RunningBroker } from '../../../src/cli/running-broker.js';
import { formatStartReport, startReport } from '../../../src/cli/start-message.js';
import { ListenFailed } from '../../../src/core/errors.js';
import { HttpListenFailed } from '../../../src/http/http-errors.js';
import { isLoopbackHost } from '../../../src/transport/loopback.js';

const settings = settingsSchema.parse({});
const plain = coloursFor({ isTTY: false }, {});
const tcp = { name: 'tcp', kind: 'tcp', host: '127.0.0.1', port: 1883, isEncrypted: false } as const;
const ws = { name: 'ws', kind: 'ws', host: '::1', port: 8083, isEncrypted: false, path: '/mqtt' } as const;

function running(listeners: readonly OpenListener[]): Omit<RunningBroker, 'stop' | 'reload'> {
  return { listeners, httpUrl: 'http://127.0.0.1:8080', unconfiguredQueues: [], damagedQueues: [] };
}

describe('the start message', () => {
  test('says where it listens, what is notable and how to try it', () => {
    const report = { ...startReport('1.2.3', settings, running([tcp, ws])), node: '20.0.0' };
    expect(formatStartReport(report, [tcp, ws], plain)).toBe(`Millrace 1.2.3 (Node 20.0.0)

  tcp                mqtt://127.0.0.1:1883
  ws                 ws://[::1]:8083/mqtt
  http               http://127.0.0.1:8080
  anonymous clients: loopback only
  storage:           ./data (fsync)
  queues:            2, filled by 1 rule

  Try it:
    mosquitto_sub -h 127.0.0.1 -p 1883 -t '#' -v
    npm run sim

`);
  });

  test.each([
    [undefined, '127.0.0.1', 'loopback only', []],
    [undefined, '0.0.0.0', 'loopback only', ['refuses clients without credentials: its address is not a loopback one']],
    [true, '127.0.0.1', 'allowed', []],
    [true, '0.0.0.0', 'allowed', ['lets anybody in who can reach it: auth.anonymous is true']],
    [false, '127.0.0.1', 'refused', ['refuses clients without credentials: auth.anonymous is false']],
  ])('with auth.anonymous %s on %s says %s and warns', (anonymous, host, clients, warnings) => {
    const report = startReport('1', settingsSchema.parse({ auth: { anonymous } }), running([{ ...tcp, host }]));
    expect(report.anonymousClients).toBe(clients);
    expect(report.warnings).toHaveLength(warnings.length);
    for (const warning of warnings) expect(report.warnings[0]).toContain(warning);
  });

  test('says by which method clients may authenticate, and does not warn that the others are refused', () => {
    const report = startReport(
      '1',
      settingsSchema.parse({ auth: { scram: 'users' } }),
      running([{ ...tcp, host: '0.0.0.0' }]),
    );
    expect(report.warnings).toEqual([]);
    expect(formatStartReport(report, [tcp], plain)).toContain('\n  authentication:    SCRAM-SHA-256\n');
  });

  test('warns of what can be lost, after who gets in', () => {
    const lowered = settingsSchema.parse({ auth: { anonymous: false }, storage: { durability: 'memory' } });
    const report = startReport('1', lowered, running([tcp]));
    expect(report.storage).toEqual({ durability: 'memory', overrides: 0 });
    const text = formatStartReport(report, [tcp], plain);
    expect(text).toContain('  storage:           no directory (memory)\n');
    expect(text).toMatch(/refuses clients .*\n {2}warning: durability is memory: nothing outlives the process\n/);
  });

  test('warns of queues whose definition is damaged, and says what to do', () => {
    const damaged = { ...running([tcp]), damagedQueues: [{ number: 7, messages: 1 }] };
    const { warnings } = startReport('1', settings, damaged);
    expect(warnings).toEqual([
      'the definition of queue number 7 is damaged: nobody can use it, and its 1 message is kept. Start with a copy of the data directory in which it is whole, or give it up: millrace queues give-up 7',
    ]);
  });

  test('warns of HTTP that others can reach, and leaves out one that is switched off', () => {
    const open = startReport('1', settingsSchema.parse({ http: { host: '0.0.0.0' } }), running([tcp]));
    expect(open.warnings).toEqual([expect.stringContaining('HTTP on 0.0.0.0 has no TLS')]);
    const closed = settingsSchema.parse({ http: { enabled: false, host: '0.0.0.0' } });
    const report = startReport('1', closed, { ...running([tcp]), httpUrl: null });
    expect(report.warnings).toEqual([]);
    expect(formatStartReport(report, [tcp], plain)).not.toContain('http');
  });

  test('brackets an IPv6 address in a URL', () => {
    expect(listenerUrl({ ...tcp, host: '::' })).toBe('mqtt://[::]:1883');
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.1', false],
  ['example.org', false],
])('%s is a loopback host: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});

describe('a listener that cannot be opened', () => {
  const failure = (code: string, listener: string): Error =>
    new ListenFailed('cannot listen', listener, { cause: Object.assign(new Error(code), { code }) });

  test.each([
    [
      'EADDRINUSE',
      'tcp',
      'listener "tcp" cannot listen on 127.0.0.1:1883: another program uses this port. Stop it, or choose another port with listeners.tcp.port (or --port); 0 takes a free one.',
    ],
    [
      'EACCES',
      'ws',
      'listener "ws" cannot listen on 127.0.0.1:8083: this user may not use this port. Choose one from 1024 up with listeners.ws.port (or --ws-port).',
    ],
    [
      'EADDRNOTAVAIL',
      'tcp',
      'listener "tcp" cannot listen on 127.0.0.1:1883: this machine has no such address. Choose another with listeners.tcp.host (or --host).',
    ],
  ])('because of %s is named, with the setting to change', (code, name, text) => {
    expect(explainListenFailure(failure(code, name), settings)).toBe(text);
  });

  test('is told of HTTP, also if a listener has that name', () => {
    const taken = new HttpListenFailed('cannot listen', 'http', {
      cause: Object.assign(new Error(), { code: 'EADDRINUSE' }),
    });
    expect(explainListenFailure(taken, settings)).toBe(
      'HTTP cannot listen on 127.0.0.1:8080: another program uses this port. Stop it, or choose another port with http.port (or --http-port); 0 takes a free one.',
    );
  });

  test('is told apart from any other failure', () => {
    expect(explainListenFailure(new TypeError('x is not a function'), settings)).toBeUndefined();
    expect(explainListenFailure(undefined, settings)).toBeUndefined();
  });
});

describe('a log line for people', () => {
  const line = (record: object): string => {
    let out = '';
    new PrettyLog((text) => {
      out += text;
    }, plain).write(JSON.stringify({ level: 30, time: 0, ...record }));
    return out;
  };

  test('has time, level, message and fields', () => {
    expect(line({ msg: 'stopping', signal: 'SIGTERM' })).toBe('00:00:00.000 INFO  stopping signal="SIGTERM"\n');
  });

  test('has the stack of an error', () => {
    expect(line({ level: 50, msg: 'oh', err: { stack: 'Error: x\n    at y' } })).toBe(
      '00:00:00.000 ERROR oh\nError: x\n    at y\n',
    );
  });

  test("carries no control character of a client's to the terminal", () => {
    expect(line({ msg: 'client \u001b[2J', id: '\u001b]0;x' })).not.toContain('\u001b');
  });
});

test.each([
  [{ isTTY: true, hasColors: () => true }, {}, true],
  [{ isTTY: true, hasColors: () => true }, { NO_COLOR: '1' }, false],
  [{ isTTY: true, hasColors: () => true }, { NO_COLOR: '' }, true],
  [{ isTTY: true, hasColors: () => false }, {}, false],
  [{}, {}, false],
])('colours on %j with %j: %s', (stream, environment, expected) => {
  expect(coloursFor(stream, environment).red('x') !== 'x').toBe(expected);
});
