/**
 * The peeks of a queue: those that are going on, and what the last scan has found for pages to come. That is good as long as nobody is
 * purging: messages may go from the range, none comes into it. It is let go when nobody has asked for a while.
 */
import type { FoundMessages } from './message-scan.js';
import { Peek, type Peeker, type PeekMemory } from './peek.js';
import type { PeekOptions } from './peek-options.js';
import type { QueueCore } from './queue-core.js';
import { WakeUp } from './wake-up.js';

const KEPT_MS = 60_000;

export class Peeks implements PeekMemory {
  readonly #core: QueueCore;
  readonly #open = new Set<Peek>();
  readonly #wakeUp: WakeUp;
  #found: FoundMessages | null = null;

  constructor(core: QueueCore) {
    this.#core = core;
    this.#wakeUp = new WakeUp(core.context.clock, () => {
      this.#found = null;
    });
  }

  /** @throws InvalidQueueOption */
  start(options: PeekOptions, peeker: Peeker): Peek {
    const peek = new Peek(this.#core, this, options, peeker, () => this.#open.delete(peek));
    this.#open.add(peek);
    peek.goOn();
    return peek;
  }

  find(after: number): FoundMessages | null {
    const found = this.#found;
    const isGood = found?.index === this.#core.index && after >= found.after && after < found.upTo;
    return isGood ? found : null;
  }

  keep(found: FoundMessages): void {
    this.#found = found;
    this.#wakeUp.stop();
    this.#wakeUp.ensure(this.#core.nowMs + KEPT_MS);
  }

  /** The messages are being given up: who peeks is answered with what he has seen so far. */
  stop(): void {
    this.#wakeUp.stop();
    this.#found = null;
    for (const peek of [...this.#open]) peek.end();
  }
}
