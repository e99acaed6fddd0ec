/**
 * Puts a broker's parts together: what all connections share, made from the options, in the order in which the parts need
 * each other. Nothing runs yet but what the journal settles.
 */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { AccessControl } from '../auth/access/access-control.js';
import { AuthenticationChain } from '../auth/authentication-chain.js';
import { AuditLog } from '../core/audit-log.js';
import { SystemClock } from '../core/clock.js';
import { DeliveryAccounts } from '../core/delivery-accounts.js';
import { DropCounters } from '../core/drop-counters.js';
import { NoticeLimit } from '../core/notice-limit.js';
import { ReasonCode } from '../core/reason-code.js';
import { SlicedTasks } from '../core/sliced-tasks.js';
import type { Subscriber } from '../core/subscriber.js';
import { TimingWheel } from '../core/timing-wheel.js';
import { MessageRecorder } from '../sessions/message-recorder.js';
import { MessageStreams } from '../sessions/message-streams.js';
import type { SessionContext } from '../sessions/session.js';
import { type SessionEvents, SessionRegistry } from '../sessions/session-registry.js';
import { MemoryMessageQueue } from '../store/memory-message-queue.js';
import { MemoryStore } from '../store/memory-store.js';
import { TopicIndex } from '../topics/topic-index.js';
import { FlushQueue } from '../transport/flush-queue.js';
import type { Listener } from '../transport/listener.js';
import { WakeUpPacer } from '../transport/wake-up-pacer.js';
import type { BrokerContext, OpenConnection } from './broker-context.js';
import { BrokerEvents } from './broker-events.js';
import { BrokerMetrics } from './broker-metrics.js';
import { type BrokerOptions, DEFAULT_LIMITS } from './broker-options.js';
import { ConnectGuard } from './defence/connect-guard.js';
import { DEFAULT_DEFENCE } from './defence/defence-options.js';
import { GatedConnections } from './gated-connections.js';
import { OverloadGuard } from './overload-guard.js';
import { OwnProcessLoad } from './process-load.js';
import { QueueRoom } from './queue-room.js';
import { RetainedMessages } from './retained-messages.js';
import { Router } from './router.js';
import { SessionQueueBound } from './session-queue-bound.js';
import { StorageGuard } from './storage-guard.js';

/**
 * @param listeners those that are open, kept up by the caller
 * @param sessionEvents told of what becomes of sessions, not before this returns
 */
export function composeContext(
  options: BrokerOptions,
  listeners: readonly Listener[],
  sessionEvents: SessionEvents,
): BrokerContext {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const clock = options.clock ?? new SystemClock();
  const logger = options.logger ?? pino({ level: 'silent' });
  const store = options.store ?? new MemoryStore();
  const { journal, log } = store;
  const metrics = new BrokerMetrics();
  const drops = new DropCounters();
  const accounts = new DeliveryAccounts(drops);
  const recorder = new MessageRecorder(log, (topic) => store.durabilityOf(topic));
  const streams = new MessageStreams(store.streamIds);
  const wheel = new TimingWheel(clock);
  const notices = new NoticeLimit(clock);
  const { queueTotalMaximumBytes, queueTotalOverflow } = limits;
  const sessionQueues = new SessionQueueBound(queueTotalMaximumBytes, queueTotalOverflow, log, drops, notices, logger);
  const sink = options.sink?.(drops) ?? null;
  const topics = new TopicIndex<Subscriber>();
  const isStorable = (topic: string): boolean => store.health.state === 'ok' || store.durabilityOf(topic) === 'memory';
  const retainedLimits = {
    maximumMessages: limits.retainedMaximumMessages,
    maximumBytes: limits.retainedMaximumBytes,
    overflow: limits.retainedOverflow,
  };
  const retained = new RetainedMessages(journal, drops, retainedLimits, isStorable);
  const sessionContext: SessionContext = {
    journal,
    log,
    recorder,
    streams,
    accounts,
    drops,
    nowMs: () => clock.now(),
    settledTicket: () => journal.settledTicket,
    openQueue: () => new MemoryMessageQueue(limits.queueMaximumMessages, limits.queueMaximumBytes),
    backlogLimits: {
      maximumMessages: limits.queueMaximumMessages,
      maximumBytes: limits.queueMaximumBytes,
      maximumTotalBytes: sessionQueues.maximumBytes,
    },
    dropOldestWhenFull: limits.queueOverflow === 'drop-oldest',
    onSessionQueuesFull: () => sessionQueues.notice(),
    softLimit: Math.floor(limits.queueMaximumMessages / 2),
    softLimitBytes: Math.floor(limits.queueMaximumBytes / 2),
  };
  const sessions = new SessionRegistry(sessionContext, store.sessionNumbers, wheel, sessionEvents);
  const audit = new AuditLog(logger, clock, options.audit ?? 'failures');
  const connections = new Map<string, OpenConnection>();
  const gated = new GatedConnections<OpenConnection>();
  const overload = new OverloadGuard(limits, clock, options.load ?? new OwnProcessLoad(), logger);
  const { wakeUpsPerSecond } = limits;
  const work = { isBusy: () => store.isBusy, packetsReceived: () => metrics.allPacketsReceived };
  const pacer = wakeUpsPerSecond === 0 ? null : new WakeUpPacer(1000 / wakeUpsPerSecond, clock, work);
  const defence = { ...DEFAULT_DEFENCE, ...options.defence };
  const queues = options.queues ?? null;
  const storage = new StorageGuard(store, drops, wheel, limits.storageFailureTimeoutMs, {
    closeWaiting: () => closeWaiting(gated),
  });
  journal.onSettled(() => {
    gated.onSettled();
    queues?.onSettled();
    storage.onSettled();
  });
  return {
    clock,
    wheel,
    slicedTasks: new SlicedTasks(clock),
    logger,
    notices,
    audit,
    guard: new ConnectGuard(defence, { clock, logger, notices, audit, journal, connections, overload }),
    overload,
    limits,
    metrics,
    drops,
    topics,
    retained,
    sessions,
    sessionQueues,
    accounts,
    streams,
    store,
    queues,
    sink,
    work: options.work ?? null,
    queueRoom: new QueueRoom(wheel, limits.storageFailureTimeoutMs),
    storage,
    journal,
    router: new Router(topics, retained, recorder, drops, metrics, sink, isStorable),
    pacer,
    flushQueue: new FlushQueue(pacer),
    authenticator: options.authenticator ?? new AuthenticationChain(undefined),
    authenticationMethods: new Map(options.authenticationMethods?.map((method) => [method.name, method])),
    access: options.access ?? new AccessControl(null),
    events: new BrokerEvents(logger),
    listeners,
    handshaking: new Set(),
    connections,
    gated,
    newClientId: () => `auto-${randomBytes(12).toString('hex')}`,
  };
}

/** Their answers wait for a disk that takes nothing. */
function closeWaiting(gated: GatedConnections<OpenConnection>): void {
  for (const connection of gated) {
    if (connection.isOwedAnswers) connection.close('storage-unavailable', ReasonCode.QuotaExceeded);
  }
}
