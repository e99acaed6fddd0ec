/** A store whose journal settles when the test says so; what the message log takes gets tickets of that journal too. */
import type { BlockStore } from '../../src/store/block-store.js';
import type { MessageLog as Log } from '../../src/store/message-log.js';
import { MessageLog } from '../../src/store/message-log.js';
import type { Store } from '../../src/store/store.js';
import type { StoreHealth } from '../../src/store/store-health.js';
import type { Ticket } from '../../src/store/ticket.js';
import { DelayedJournal } from './delayed-journal.js';

export class TestCounter {
  #last: number;

  /** @param last number given out before */
  constructor(last = 0) {
    this.#last = last;
  }

  next(): number {
    return ++this.#last;
  }
}

export class DelayedStore implements Store {
  readonly journal: DelayedJournal;
  readonly log: Log;
  readonly history = null;
  readonly sessionNumbers = new TestCounter();
  readonly streamIds = new TestCounter();
  readonly queueNumbers = new TestCounter();
  readonly durability = 'fsync';
  health: StoreHealth = { state: 'ok' };
  isCongested = false;
  readonly isBusy = false;
  #onHealthChanged: (health: StoreHealth) => void = () => {};

  /** @param isHeld false settles everything at once, for tests that only look at what is recorded */
  constructor(isHeld = true) {
    const journal = new DelayedJournal(isHeld);
    this.journal = journal;
    const blocks: BlockStore = {
      write: () => journal.lastTicket,
      drop: () => {},
      writeMarks: () => {},
      dropMarks: () => {},
      read: async () => undefined,
      scan: async function* () {},
      requireCommit: (isSynced): Ticket => (isSynced ? journal.record('messageLogged', '') : 0),
      get settledTicket() {
        return journal.settledTicket;
      },
    };
    this.log = new MessageLog(blocks, new TestCounter(), { cacheBytes: 1 << 20, onDamaged: () => {} });
  }

  durabilityOf(): 'fsync' {
    return 'fsync';
  }

  onHealthChanged(listener: (health: StoreHealth) => void): void {
    this.#onHealthChanged = listener;
  }

  /** Makes the store ill, or well again. */
  setHealth(health: StoreHealth): void {
    this.health = health;
    this.#onHealthChanged(health);
  }

  async load(): Promise<number> {
    return 0;
  }

  close(): Promise<void> {
    return this.journal.flush();
  }
}
