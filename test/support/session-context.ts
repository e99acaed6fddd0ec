/** What sessions need around them, with a clock and a store that a test looks at. */
import { DeliveryAccounts } from '../../src/core/delivery-accounts.js';
import { DropCounters } from '../../src/core/drop-counters.js';
import { Publication } from '../../src/core/publication.js';
import type { DeliveryOptions } from '../../src/core/subscriber.js';
import { MessageRecorder } from '../../src/sessions/message-recorder.js';
import { MessageStreams } from '../../src/sessions/message-streams.js';
import type { Session, SessionContext } from '../../src/sessions/session.js';
import { MemoryMessageQueue } from '../../src/store/memory-message-queue.js';
import type { Subscription } from '../../src/topics/subscription.js';
import type { DelayedJournal } from './delayed-journal.js';
import { DelayedStore } from './delayed-store.js';
import { ManualClock } from './manual-clock.js';
import { subscriptionOf } from './subscriptions.js';
import { type TestMessageFields, testMessage } from './test-message.js';

export interface TestSessionContext extends SessionContext {
  readonly journal: DelayedJournal;
  readonly clock: ManualClock;
}

export function sessionContext(overrides: Partial<SessionContext> = {}, isHeld = false): TestSessionContext {
  const clock = new ManualClock(1000);
  const { journal, log, streamIds } = new DelayedStore(isHeld);
  const drops = new DropCounters();
  return {
    log,
    recorder: new MessageRecorder(log, () => 'fsync'),
    streams: new MessageStreams(streamIds),
    accounts: new DeliveryAccounts(drops),
    drops,
    nowMs: () => clock.now(),
    settledTicket: () => journal.settledTicket,
    openQueue: () => new MemoryMessageQueue(1000, 1_000_000),
    backlogLimits: { maximumMessages: 1000, maximumBytes: 1_000_000, maximumTotalBytes: Number.POSITIVE_INFINITY },
    dropOldestWhenFull: false,
    onSessionQueuesFull: () => {},
    softLimit: 500,
    softLimitBytes: 500_000,
    ...overrides,
    journal,
    clock,
  };
}

/** Lists a subscription as the broker does. */
export function subscribe(
  context: SessionContext,
  session: Session,
  filter: string,
  options: Partial<Omit<Subscription<Session>, 'subscriber' | 'filter'>> = {},
): Subscription<Session> {
  const qos = options.qos ?? 1;
  const known = [...session.subscriptions].find((one) => one.filter === filter) as Subscription<Session> | undefined;
  const stream = session.joinStream(filter, qos, filter.startsWith('$share/'), known?.stream ?? null);
  const sinceSequence = context.log.nextSequence;
  const subscription = subscriptionOf(session, filter, { qos, ...options, stream, sinceSequence });
  session.subscriptionList.add(subscription, known);
  session.onSubscribed(stream);
  return subscription;
}

/** Hands a message to a session as the router would. */
export function deliver(
  context: SessionContext,
  session: Session,
  fields: TestMessageFields,
  options: Partial<DeliveryOptions> = {},
): Publication {
  const publication = new Publication();
  publication.begin(testMessage(fields));
  context.recorder.begin(publication.message);
  session.deliver({ qos: 2, retainAsPublished: false, identifiers: null, streams: null, ...options }, publication);
  publication.ticket = Math.max(publication.ticket, context.recorder.finish(publication.message));
  return publication;
}
