/** What all connections of one broker share. */
import type { Logger } from 'pino';
import type { AccessControl } from '../auth/access/access-control.js';
import type { AuthenticationMethod } from '../auth/authentication-method.js';
import type { Authenticator } from '../auth/authenticator.js';
import { AcknowledgementDecoder } from '../codec/acknowledgement.js';
import { PublishDecoder } from '../codec/publish-decoder.js';
import type { AuditLog } from '../core/audit-log.js';
import type { Clock } from '../core/clock.js';
import type { DeliveryAccounts } from '../core/delivery-accounts.js';
import type { DropCounters } from '../core/drop-counters.js';
import type { NoticeLimit } from '../core/notice-limit.js';
import type { PublishSink } from '../core/publish-sink.js';
import type { SlicedTasks } from '../core/sliced-tasks.js';
import type { Subscriber } from '../core/subscriber.js';
import type { TimingWheel } from '../core/timing-wheel.js';
import type { WorkSource } from '../core/work-source.js';
import type { MessageStreams } from '../sessions/message-streams.js';
import type { SessionRegistry } from '../sessions/session-registry.js';
import type { Journal } from '../store/journal.js';
import type { Store } from '../store/store.js';
import type { StoredQueues } from '../store/stored-queues.js';
import type { TopicIndex } from '../topics/topic-index.js';
import type { FlushQueue } from '../transport/flush-queue.js';
import type { Listener } from '../transport/listener.js';
import type { WakeUpPacer } from '../transport/wake-up-pacer.js';
import type { BrokerEvents } from './broker-events.js';
import type { BrokerMetrics } from './broker-metrics.js';
import type { BrokerLimits } from './broker-options.js';
import type { ConnectGuard, GuardedConnection } from './defence/connect-guard.js';
import type { GatedConnection, GatedConnections } from './gated-connections.js';
import type { OverloadGuard } from './overload-guard.js';
import type { QueueRoom } from './queue-room.js';
import type { RetainedMessages } from './retained-messages.js';
import type { Router } from './router.js';
import type { SessionQueueBound } from './session-queue-bound.js';
import type { StorageGuard } from './storage-guard.js';

/** A client's connection, as others see it. */
export interface OpenConnection extends GuardedConnection, GatedConnection {
  /** Ends the connection if what its client was let in by has been taken back. @returns whether it has ended it */
  endIfWithdrawn(): boolean;
  /** Answers wait for the journal. */
  readonly isOwedAnswers: boolean;
  /** Other rules are in force. */
  onRulesChanged(): void;
}

export interface BrokerContext {
  readonly clock: Clock;
  readonly wheel: TimingWheel;
  /** For what clients do in crowds. */
  readonly slicedTasks: SlicedTasks;
  readonly logger: Logger;
  /** Of what clients can bring about as often as they like. */
  readonly notices: NoticeLimit;
  readonly audit: AuditLog;
  readonly guard: ConnectGuard;
  readonly overload: OverloadGuard;
  readonly limits: BrokerLimits;
  readonly metrics: BrokerMetrics;
  readonly drops: DropCounters;
  readonly topics: TopicIndex<Subscriber>;
  readonly retained: RetainedMessages;
  readonly sessions: SessionRegistry;
  readonly sessionQueues: SessionQueueBound;
  readonly accounts: DeliveryAccounts;
  readonly streams: MessageStreams;
  readonly store: Store;
  /** Work queues in the store; null if there are none. */
  readonly queues: StoredQueues | null;
  /** Takes what is published into them. */
  readonly sink: PublishSink | null;
  /** Hands out what is in them; null if nobody does. */
  readonly work: WorkSource | null;
  readonly storage: StorageGuard;
  /** For publishers that cannot be told that a work queue is full. */
  readonly queueRoom: QueueRoom;
  readonly journal: Journal;
  readonly router: Router;
  readonly flushQueue: FlushQueue;
  /** null for an event loop that never rests. */
  readonly pacer: WakeUpPacer | null;
  readonly authenticator: Authenticator;
  /** By name. */
  readonly authenticationMethods: ReadonlyMap<string, AuthenticationMethod>;
  /** Who may publish, subscribe and receive what. */
  readonly access: AccessControl;
  readonly events: BrokerEvents;
  /** Those that are open. */
  readonly listeners: readonly Listener[];
  /** Connections whose CONNECT has not been accepted yet. */
  readonly handshaking: Set<OpenConnection>;
  /** Connected clients by client id. */
  readonly connections: Map<string, OpenConnection>;
  /** Connections with answers that wait for the journal. */
  readonly gated: GatedConnections<OpenConnection>;
  /** A fresh client id for a client that brought none [MQTT-3.1.3-6]. */
  readonly newClientId: () => string;
}

/** Serve every connection in turn: input is handled one packet at a time. */
export const publishDecoder = new PublishDecoder();
export const acknowledgementDecoder = new AcknowledgementDecoder();
