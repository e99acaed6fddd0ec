/** What must hold between the limits of a listener, and between those of the defence: a setting without effect is a promise that nobody keeps. */
import type { BrokenRule } from './broken-rule.js';
import type { Settings } from './config-schema.js';
import { settingName } from './setting-path.js';

/** Each needs the other to be set. */
const BURSTS = [
  ['connectBurst', 'connectRate'],
  ['connectBurstPerAddress', 'connectRatePerAddress'],
] as const;

export function* soundListeners({ listeners }: Settings): Generator<BrokenRule> {
  for (const [name, listener] of Object.entries(listeners)) {
    const path = ['listeners', name];
    for (const [burst, rate] of BURSTS) {
      if (listener[burst] === 0 || listener[rate] > 0) continue;
      yield {
        paths: [
          [...path, burst],
          [...path, rate],
        ],
        message: `${settingName([...path, burst])} has no effect without ${rate}`,
      };
    }
    const { trusted, username } = listener.proxyProtocol;
    if (username !== 'none' && trusted.length === 0) {
      const setting = [...path, 'proxyProtocol', 'username'];
      yield { paths: [setting], message: `${settingName(setting)} has no effect without trusted` };
    }
  }
}

export function* soundDefence({ defence: { login, takeovers } }: Settings): Generator<BrokenRule> {
  if (login.longestWait < login.firstWait) {
    yield {
      paths: [
        ['defence', 'login', 'longestWait'],
        ['defence', 'login', 'firstWait'],
      ],
      message: 'defence.login.longestWait must be at least defence.login.firstWait',
    };
  }
  if (login.attempts > login.attemptsPerAddress) {
    yield {
      paths: [
        ['defence', 'login', 'attemptsPerAddress'],
        ['defence', 'login', 'attempts'],
      ],
      message: 'defence.login.attemptsPerAddress must be at least defence.login.attempts',
    };
  }
  if (takeovers.pause > takeovers.window) {
    yield {
      paths: [
        ['defence', 'takeovers', 'pause'],
        ['defence', 'takeovers', 'window'],
      ],
      message: 'defence.takeovers.pause must not be longer than defence.takeovers.window',
    };
  }
}
