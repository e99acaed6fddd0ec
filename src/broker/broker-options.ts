/**
 * Everything about the protocol machine that an operator may set, with its default and the reason for it. The
 * configuration file's `mqtt`, `sessions`, `retained`, `limits` and `sys` sections map onto these fields one to one.
 */
import type { Logger } from 'pino';
import type { AccessControl } from '../auth/access/access-control.js';
import type { AuthenticationMethod } from '../auth/authentication-method.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { AuditMode } from '../core/audit-log.js';
import type { Clock } from '../core/clock.js';
import type { DropCounters } from '../core/drop-counters.js';
import type { PublishSink } from '../core/publish-sink.js';
import type { WorkSource } from '../core/work-source.js';
import type { Store } from '../store/store.js';
import type { StoredQueues } from '../store/stored-queues.js';
import type { DefenceOptions } from './defence/defence-options.js';
import type { ProcessLoad } from './process-load.js';

/** What happens to a message for a session whose queue has reached its limit. */
export type OverflowPolicy = 'drop-newest' | 'drop-oldest';

/**
 * What happens to a message that would have to wait when all queues of sessions together have reached their limit: those
 * who would wait do not get it, or nobody does and its publisher is told.
 */
export type TotalOverflowPolicy = 'drop-newest' | 'refuse';

/** What happens to a retained message that would pass the limits: it is not retained, or the one set longest ago goes. */
export type RetainedOverflowPolicy = 'refuse' | 'drop-oldest';

/** What happens to what a client publishes above its rate: it is read later, refused, or the client's last. */
export type RatePolicy = 'pause' | 'refuse' | 'disconnect';

export interface BrokerLimits {
  // --- mqtt
  /** Largest packet taken from a client, in bytes, fixed header included. 1 MiB: telemetry is small, memory is not free. */
  readonly maximumPacketSize: number;
  /** Unacknowledged QoS 1 and 2 publishes that one client may have on the way to us. */
  readonly receiveMaximum: number;
  /**
   * Unacknowledged QoS 1 and 2 publishes that we have on the way to one client, at most 32,767; its Receive Maximum may
   * lower it. 16,384 lets one subscriber take all that a core can route; a smaller one repeats less after a reconnect.
   */
  readonly maximumInflight: number;
  /** Topic aliases a client may set up; 0 switches them off. Each costs one pointer. */
  readonly topicAliasMaximum: number;
  /** Topic aliases we use towards one client that allows them; 0 switches them off. */
  readonly outboundTopicAliasMaximum: number;
  /** Longest Session Expiry Interval granted, in seconds; a longer wish is lowered to it and told in CONNACK. */
  readonly sessionExpiryMaximumSeconds: number;
  /** Expiry given to an MQTT 3 session with Clean Session 0, which cannot ask for one. Seconds. */
  readonly mqtt3SessionExpirySeconds: number;
  /** Longest keep alive accepted, seconds; 0 accepts all. A longer (or no) keep alive is replaced by Server Keep Alive. */
  readonly keepAliveMaximumSeconds: number;
  /** Time from accepting a connection to its CONNACK, an authentication exchange included; and that of a later exchange. */
  readonly connectTimeoutMs: number;
  /** Filters in one SUBSCRIBE or UNSUBSCRIBE, and levels in a topic or filter: bounds the work of one packet. */
  readonly maximumFiltersPerPacket: number;
  readonly maximumTopicLevels: number;
  /** Characters of a topic or filter. 65,535: the protocol's own bound. */
  readonly maximumTopicLength: number;
  /** Subscriptions of one session. */
  readonly maximumSubscriptionsPerSession: number;
  /** Memory of those, by estimate, with what the index takes for them. 64 MiB: those of a session of ordinary filters. */
  readonly maximumSubscriptionBytesPerSession: number;
  // --- auth
  /** What a client may say in one authentication exchange: packets, and bytes of Authentication Data in all of them. */
  readonly authenticationMaximumRounds: number;
  readonly authenticationMaximumBytes: number;
  // --- sessions
  /** Sessions at a time, of clients that are connected or away; one more that is to be kept is refused. */
  readonly maximumSessions: number;
  /** Messages waiting for one session, and the bytes they take. */
  readonly queueMaximumMessages: number;
  readonly queueMaximumBytes: number;
  readonly queueOverflow: OverflowPolicy;
  /** Bytes of what waits for all sessions that are kept, each message once; 0 for any number. */
  readonly queueTotalMaximumBytes: number;
  readonly queueTotalOverflow: TotalOverflowPolicy;
  // --- retained
  readonly retainedMaximumMessages: number;
  readonly retainedMaximumBytes: number;
  readonly retainedOverflow: RetainedOverflowPolicy;
  // --- limits
  /** Unsent bytes of one connection from which the publishers that feed it are held back. */
  readonly outboundSoftLimitBytes: number;
  /** Unsent bytes of one connection at which it is closed as a slow consumer. */
  readonly outboundHardLimitBytes: number;
  /** Unsent bytes of all connections together at which those are closed that nobody waits for any more. */
  readonly outboundTotalLimitBytes: number;
  /** How long publishers are held for a consumer before it counts as stalled and is left to its hard limit. */
  readonly slowConsumerGraceMs: number;
  /** Messages and bytes of PUBLISH packets that one client may send and be sent in a second, in the long run; 0 for any number. */
  readonly inboundMessageRate: number;
  readonly inboundByteRate: number;
  readonly outboundMessageRate: number;
  readonly outboundByteRate: number;
  /** How many seconds' worth may come at once. */
  readonly rateBurstSeconds: number;
  readonly inboundRatePolicy: RatePolicy;
  /** Average delay of the event loop, part of the heap, and resident memory above which new clients are refused; 0 for any. */
  readonly overloadDelayMs: number;
  readonly overloadHeapShare: number;
  readonly overloadResidentBytes: number;
  /** How often the event loop wakes in a second while rests cost nobody anything; 0 for any number. See `WakeUpPacer`. */
  readonly wakeUpsPerSecond: number;
  // --- storage
  /** How long a publisher waits for a store that does not store, before its connection is closed. */
  readonly storageFailureTimeoutMs: number;
  // --- sys
  /** Seconds between two rounds of `$SYS` topics; 0 switches them off. 10 as in mosquitto. */
  readonly sysIntervalSeconds: number;
}

export const DEFAULT_LIMITS: BrokerLimits = {
  maximumPacketSize: 1024 * 1024,
  receiveMaximum: 1024,
  maximumInflight: 16_384,
  topicAliasMaximum: 64,
  outboundTopicAliasMaximum: 64,
  sessionExpiryMaximumSeconds: 0xffffffff,
  mqtt3SessionExpirySeconds: 7 * 24 * 3600,
  keepAliveMaximumSeconds: 0,
  connectTimeoutMs: 10_000,
  maximumFiltersPerPacket: 1024,
  maximumTopicLevels: 128,
  maximumTopicLength: 65_535,
  maximumSubscriptionsPerSession: 100_000,
  maximumSubscriptionBytesPerSession: 64 * 1024 * 1024,
  authenticationMaximumRounds: 8,
  authenticationMaximumBytes: 16 * 1024,
  maximumSessions: 1_000_000,
  queueMaximumMessages: 100_000,
  queueMaximumBytes: 64 * 1024 * 1024,
  queueOverflow: 'drop-newest',
  queueTotalMaximumBytes: 16 * 1024 * 1024 * 1024,
  queueTotalOverflow: 'drop-newest',
  retainedMaximumMessages: 1_000_000,
  retainedMaximumBytes: 1024 * 1024 * 1024,
  retainedOverflow: 'refuse',
  outboundSoftLimitBytes: 1024 * 1024,
  outboundHardLimitBytes: 8 * 1024 * 1024,
  outboundTotalLimitBytes: 256 * 1024 * 1024,
  slowConsumerGraceMs: 200,
  inboundMessageRate: 0,
  inboundByteRate: 0,
  outboundMessageRate: 0,
  outboundByteRate: 0,
  rateBurstSeconds: 1,
  inboundRatePolicy: 'pause',
  overloadDelayMs: 1000,
  overloadHeapShare: 0.92,
  overloadResidentBytes: 0,
  wakeUpsPerSecond: 1500,
  storageFailureTimeoutMs: 30_000,
  sysIntervalSeconds: 10,
};

export interface BrokerOptions {
  /** Default: what the machine says. */
  readonly clock?: Clock;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  readonly limits?: Partial<BrokerLimits>;
  /** What is left out is as DEFAULT_DEFENCE says. */
  readonly defence?: Partial<DefenceOptions>;
  /** What the audit log tells; it goes to the logger. Default: `failures`. */
  readonly audit?: AuditMode;
  /** Asked for what the process takes. Default: this process. */
  readonly load?: ProcessLoad;
  /** Decides on clients that name no authentication method. Default: loopback listeners are open to everybody, others to nobody. */
  readonly authenticator?: Authenticator;
  /** Decide on clients that name one of them in CONNECT; every other name is refused. Default: none. */
  readonly authenticationMethods?: readonly AuthenticationMethod[];
  /** Who may publish, subscribe and receive what. Default: everybody everything. */
  readonly access?: AccessControl;
  /** What outlives the process, see `openStore`. The broker closes it. Default: nothing does. */
  readonly store?: Store;
  /** Work queues that stand in `store`. Without them, what it holds for queues is let go of. Default: none. */
  readonly queues?: StoredQueues;
  /** Takes what is published into work queues; made with the broker's counters of drops. Default: nothing does. */
  readonly sink?: (drops: DropCounters) => PublishSink;
  /** Hands out what is in them to clients that subscribe below `$queue`. Default: nobody does. */
  readonly work?: WorkSource;
  /** Shown under `$SYS/broker/version`. */
  readonly version?: string;
}
