/** What sessions need around them, with a clock and a journal that a test looks at. */
import { DropCounters } from '../../src/core/drop-counters.js';
import { Publication } from '../../src/core/publication.js';
import type { DeliveryOptions } from '../../src/core/subscriber.js';
import type { Session, SessionContext } from '../../src/sessions/session.js';
import { MemoryMessageQueue } from '../../src/store/memory-message-queue.js';
import { DelayedJournal } from './delayed-journal.js';
import { ManualClock } from './manual-clock.js';
import { type TestMessageFields, testMessage } from './test-message.js';

export interface TestSessionContext extends SessionContext {
  readonly journal: DelayedJournal;
  readonly clock: ManualClock;
}

export function sessionContext(overrides: Partial<SessionContext> = {}): TestSessionContext {
  const clock = new ManualClock(1000);
  return {
    drops: new DropCounters(),
    nowMs: () => clock.now(),
    openQueue: () => new MemoryMessageQueue(1000, 1_000_000),
    inflightMaximumBytes: 1_000_000,
    dropOldestWhenFull: false,
    queueSoftLimit: 500,
    queueSoftLimitBytes: 500_000,
    ...overrides,
    journal: new DelayedJournal(),
    clock,
  };
}

/** Hands a message to a session as the router would. */
export function deliver(
  session: Session,
  fields: TestMessageFields,
  options: Partial<DeliveryOptions> = {},
): Publication {
  const publication = new Publication();
  publication.begin(testMessage(fields));
  session.deliver({ qos: 2, retainAsPublished: false, identifiers: null, ...options }, publication);
  return publication;
}
