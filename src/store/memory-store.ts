/** A store that outlives nothing: what a broker without a data directory uses. Every answer may be given at once. */
import type { DurabilityLevel } from '../core/durability.js';
import { MemoryJournal } from './journal.js';
import { MessageLog, type NumberSource } from './message-log.js';
import type { Store } from './store.js';
import type { StoreHealth } from './store-health.js';

class Counter implements NumberSource {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

export class MemoryStore implements Store {
  readonly journal = new MemoryJournal();
  readonly log = new MessageLog(null, new Counter(), { cacheBytes: 0, onDamaged: () => {} });
  readonly history = null;
  readonly sessionNumbers = new Counter();
  readonly streamIds = new Counter();
  readonly queueNumbers = new Counter();
  readonly durability: DurabilityLevel = 'memory';
  readonly health: StoreHealth = { state: 'ok' };
  readonly isCongested = false;
  readonly isBusy = false;

  durabilityOf(): DurabilityLevel {
    return 'memory';
  }

  onHealthChanged(): void {}

  async load(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}
