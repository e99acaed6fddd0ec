import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { listenerOptions } from '../../../src/cli/listener-options.js';
import type { ListenerSettings } from '../../../src/cli/listener-schema.js';
import { findBrokenRules } from '../../../src/cli/settings-rules.js';

function listener(settings: object): ListenerSettings {
  const { listeners } = settingsSchema.parse({ listeners: { a: { kind: 'ws', port: 1, ...settings } } });
  return listeners['a'] as ListenerSettings;
}

const problemsOf = (settings: object): string[] =>
  settingsSchema.safeParse({ listeners: { a: settings } }).error?.issues.map(({ message }) => message) ?? [];

describe('limits and proxies of a listener', () => {
  it('are off unless they are set', () => {
    expect(listenerOptions('a', listener({}))).toEqual({
      name: 'a',
      kind: 'ws',
      host: '127.0.0.1',
      port: 1,
      path: '/mqtt',
      maxConnections: 100_000,
      connectRate: 0,
      connectRatePerAddress: 0,
    });
  });

  it('are what the configuration says', () => {
    const options = listenerOptions(
      'a',
      listener({
        maxConnectionsPerAddress: 7,
        connectRate: 100,
        connectBurst: 500,
        connectRatePerAddress: 2,
        connectBurstPerAddress: 9,
        proxyProtocol: { trusted: ['10.0.0.0/8'], required: false, timeout: '3s', username: 'common-name' },
        forwardedFor: { trusted: ['10.0.0.1'], header: 'forwarded' },
        origins: ['https://example.com'],
      }),
    );
    expect(options).toMatchObject({
      maxConnectionsPerAddress: 7,
      connectRate: 100,
      connectBurst: 500,
      connectRatePerAddress: 2,
      connectBurstPerAddress: 9,
      proxyProtocol: { trusted: ['10.0.0.0/8'], required: false, timeoutMs: 3000, takesUsername: true },
      forwardedFor: { trusted: ['10.0.0.1'], header: 'forwarded' },
      origins: ['https://example.com'],
    });
  });

  it.each([
    [{ kind: 'tcp', port: 1, origins: ['https://example.com'] }, 'only a listener of kind ws has origins'],
    [{ kind: 'tcp', port: 1, forwardedFor: { trusted: ['::1'] } }, 'only a listener of kind ws has forwardedFor'],
    [{ kind: 'ws', port: 1, origins: ['example.com'] }, 'expected an origin such as https://example.com'],
    [{ kind: 'ws', port: 1, proxyProtocol: { trusted: ['10.0.0.0/33'] } }, 'expected an IP address or a range'],
  ])('make sense: %j', (settings, message) => {
    expect(problemsOf(settings)).toEqual([expect.stringContaining(message)]);
  });
});

describe('settings that do not go together', () => {
  const broken = (settings: object): string[] =>
    findBrokenRules(settingsSchema.parse(settings)).map(({ message }) => message);

  it.each([
    [{ listeners: { tcp: { connectBurst: 5 } } }, 'listeners.tcp.connectBurst has no effect without connectRate'],
    [
      { listeners: { ws: { connectBurstPerAddress: 5 } } },
      'listeners.ws.connectBurstPerAddress has no effect without connectRatePerAddress',
    ],
    [
      { listeners: { tcp: { proxyProtocol: { username: 'common-name' } } } },
      'listeners.tcp.proxyProtocol.username has no effect without trusted',
    ],
    [
      { defence: { login: { firstWait: '1h', longestWait: '1m' } } },
      'defence.login.longestWait must be at least defence.login.firstWait',
    ],
    [
      { defence: { login: { attempts: 200 } } },
      'defence.login.attemptsPerAddress must be at least defence.login.attempts',
    ],
    [
      { defence: { takeovers: { pause: '5m' } } },
      'defence.takeovers.pause must not be longer than defence.takeovers.window',
    ],
  ])('are told: %j', (settings, message) => {
    expect(broken(settings)).toEqual([message]);
  });

  it('are none by default', () => {
    expect(broken({})).toEqual([]);
  });
});
