/** How the broker defends itself against those who guess passwords, come and go, or fight each other; with defaults and reasons. */

export interface BanEntry {
  readonly kind: BanKind;
  /** Client id, user name, or an address or range of them in CIDR notation. */
  readonly value: string;
  readonly reason?: string | undefined;
}

export type BanKind = 'client' | 'user' | 'address';

export interface DefenceOptions {
  /** Failed authentications of one user from one address after which it has to wait; 0 switches the defence of logins off. */
  readonly loginAttempts: number;
  /** The first wait, ms; each further failure doubles it, up to the longest. */
  readonly loginFirstWaitMs: number;
  readonly loginLongestWaitMs: number;
  /** Failures of one address, whoever it says to be, after which the whole address has to wait. */
  readonly loginAttemptsPerAddress: number;
  /** Failures of one user, wherever from, after which answers to that user are slowed. */
  readonly loginAttemptsPerUser: number;
  readonly loginUserDelayMs: number;
  /** Without a failure for so long, all are forgiven. */
  readonly loginForgetAfterMs: number;
  /** Connections that a client id, or an address, may make within the window, before it is banned for a while; 0 for any number. */
  readonly flappingConnects: number;
  readonly flappingConnectsPerAddress: number;
  readonly flappingWindowMs: number;
  readonly flappingBanMs: number;
  /** Times within the window that connections may take one client id over from each other; 0 for any number. */
  readonly takeovers: number;
  readonly takeoverWindowMs: number;
  /** How long whoever holds the client id then is left alone, ms. */
  readonly takeoverPauseMs: number;
  /** Connections at a time of one user; 0 for any number. */
  readonly connectionsPerUser: number;
  /** Banned for good, by configuration. */
  readonly banned: readonly BanEntry[];
}

export const DEFAULT_DEFENCE: DefenceOptions = {
  loginAttempts: 5,
  loginFirstWaitMs: 5000,
  loginLongestWaitMs: 15 * 60_000,
  // Devices with a wrong password behind one address: each of them fails about ten times before it waits for long.
  loginAttemptsPerAddress: 100,
  loginAttemptsPerUser: 100,
  loginUserDelayMs: 1000,
  loginForgetAfterMs: 3_600_000,
  // Devices on bad radio links come and go, and must not be banned for it unless somebody wants that.
  flappingConnects: 0,
  flappingConnectsPerAddress: 0,
  flappingWindowMs: 60_000,
  flappingBanMs: 5 * 60_000,
  // A device that comes back before its old connection was missed takes over from itself, though not so often.
  takeovers: 15,
  takeoverWindowMs: 60_000,
  takeoverPauseMs: 10_000,
  connectionsPerUser: 0,
  banned: [],
};
