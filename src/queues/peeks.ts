/**
 * The peeks of a queue: those that are going on, and what the last scan has found for pages to come. That is good as long as nobody is
 * purging: messages may go from the range, none comes into it; pages of one state or group are of those that were it on the first page.
 * It is let go when nobody has asked for a while.
 */
import type { FoundMessages } from './message-scan.js';
import { KIND_OF_ALL, Peek, type Peeker, type PeekMemory } from './peek.js';
import type { PeekOptions } from './peek-options.js';
import type { QueueCore } from './queue-core.js';
import { WakeUp } from './wake-up.js';

const KEPT_MS = 60_000;

export class Peeks implements PeekMemory {
  readonly #core: QueueCore;
  readonly #open = new Set<Peek>();
  readonly #wakeUp: WakeUp;
  #found: FoundMessages | null = null;
  #kind = KIND_OF_ALL;

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

  find(kind: string, after: number): FoundMessages | null {
    const found = this.#kind === kind ? this.#found : null;
    const isGood = found?.index === this.#core.index && after >= found.after && after < found.upTo;
    // Whoever begins anew to look for messages in one state wants to know which are in it now.
    if (!isGood || (kind !== KIND_OF_ALL && after === found.after)) return null;
    return found;
  }

  keep(kind: string, found: FoundMessages): void {
    this.#kind = kind;
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
