/** What `login-storm-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

/** A fleet logs in at once while others send to each other; then it leaves, and does so again. */
export interface LoginStormJob extends BrokerUnderTest {
  readonly kind: 'login-storm';
  /** Of the fleet, each a user of its own. */
  readonly connections: number;
  readonly publishers: number;
  /** Of all publishers together. */
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  /** Measured before the storms. */
  readonly quietMs: number;
  /** A storm that is not over by then is left as it is. */
  readonly longestStormMs: number;
}

/** What messages have seen that were due in a part of the run. */
export interface Phase extends Usage {
  /** From the moment a message was due to its arrival. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** How late the generator itself was; it is part of the latencies. */
  readonly lateP99Ms: number;
}

/** What a fleet has seen that logged in at once. */
export interface FleetLogin {
  /** Until the last one was in, or the time was over. */
  readonly seconds: number;
  readonly connected: number;
  /** Attempts that the broker has answered with a refusal. */
  readonly refused: number;
  /** Attempts and connections that ended in another way: hung up, reset, without an answer. */
  readonly dropped: number;
  readonly fleetCpuMs: number;
}

export interface Storm extends Phase {
  readonly login: FleetLogin;
}

export interface LoginStormResult {
  readonly kind: 'login-storm';
  readonly quiet: Phase;
  readonly first: Storm;
  readonly second: Storm;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
  /** QoS 1 exchanges that the broker never completed. */
  readonly unfinished: number;
}
