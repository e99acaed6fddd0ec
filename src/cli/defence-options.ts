import type { BanEntry, DefenceOptions } from '../broker/defence/defence-options.js';
import type { Settings } from './config-schema.js';
import type { DefenceSettings } from './defence-schema.js';

/** The broker's defence as the configuration sets it: every field. */
export function defenceOptions({ defence, limits }: Settings): DefenceOptions {
  const { login, flapping, takeovers, banned } = defence;
  return {
    loginAttempts: login.attempts,
    loginFirstWaitMs: milliseconds(login.firstWait),
    loginLongestWaitMs: milliseconds(login.longestWait),
    loginAttemptsPerAddress: login.attemptsPerAddress,
    loginAttemptsPerUser: login.attemptsPerUser,
    loginUserDelayMs: milliseconds(login.userDelay),
    loginForgetAfterMs: milliseconds(login.forgetAfter),
    flappingConnects: flapping.connects,
    flappingConnectsPerAddress: flapping.connectsPerAddress,
    flappingWindowMs: milliseconds(flapping.window),
    flappingBanMs: milliseconds(flapping.ban),
    takeovers: takeovers.limit,
    takeoverWindowMs: milliseconds(takeovers.window),
    takeoverPauseMs: milliseconds(takeovers.pause),
    connectionsPerUser: limits.maxConnectionsPerUser,
    banned: banned.map(banEntry),
  };
}

function banEntry({ client, user, address, reason }: DefenceSettings['banned'][number]): BanEntry {
  if (client !== undefined) return { kind: 'client', value: client, reason };
  if (user !== undefined) return { kind: 'user', value: user, reason };
  return { kind: 'address', value: address ?? '', reason };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}
