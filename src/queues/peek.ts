/**
 * One look at the messages of a queue, which takes none of them: a page in order of their numbers, with content, from the number that the
 * page before ended with. It reads what it shows and nothing else. A message is shown as it was when it was read; one
 * that comes or goes meanwhile may be shown or not.
 *
 *   numbers found before ──┐
 *   scan, a slice at a time ┴▶ numbers ──still there?──▶ content, read if need be ──▶ page ──▶ Peeker, once
 */
import type { Message } from '../core/message.js';
import { decodeEntry } from './entry-codec.js';
import type { MessageIndex } from './message-index.js';
import { type FoundMessages, MessageScan } from './message-scan.js';
import { checkPeekOptions, type PeekOptions } from './peek-options.js';
import { PEEKED_STATES, type PeekedMessage, type PeekedState, peekedMessage } from './peeked-message.js';
import type { QueueCore } from './queue-core.js';
import type { QueueLogReader } from './queue-log.js';

export interface PeekPage {
  readonly messages: readonly PeekedMessage[];
  /** Where the next page goes on; null if there are no more. A page may be short, or empty, and not be the last. */
  readonly cursor: number | null;
}

/** Whoever peeks. Called once, maybe before {@link Queue.peek} returns. */
export interface Peeker {
  onPeeked(page: PeekPage): void;
}

/** The kind of pages that any message may be on. */
export const KIND_OF_ALL = '';

/** What several pages share. */
export interface PeekMemory {
  /** What an earlier page of the same kind has found after this number; null if nothing is known of it. */
  find(kind: string, after: number): FoundMessages | null;
  keep(kind: string, found: FoundMessages): void;
}

/** Messages that are looked at before the event loop gets its turn. */
const MESSAGES_PER_SLICE = 500;
/** A page that has found nothing among so many is answered, so that its caller can give up. */
const MESSAGES_PER_PAGE = 200_000;
/** Numbers that a scan of many groups remembers for the pages to come; each costs 8 bytes. */
const FOUND_AT_ONCE = 16_384;

export class Peek implements QueueLogReader {
  readonly #core: QueueCore;
  readonly #memory: PeekMemory;
  readonly #peeker: Peeker;
  readonly #onEnded: () => void;
  readonly #max: number;
  readonly #maxBytes: number;
  readonly #state: PeekedState | null;
  readonly #group: string | undefined;
  readonly #ids: ReadonlySet<string> | null;
  readonly #messages: PeekedMessage[] = [];
  #bytes = 0;
  /** All up to this number have been looked at. */
  #after: number;
  #scan: MessageScan | null = null;
  #found: FoundMessages | null = null;
  /** The next of `found`. */
  #next = 0;
  #looked = 0;
  #isOpen = true;

  /** @throws InvalidQueueOption naming what makes no sense */
  constructor(core: QueueCore, memory: PeekMemory, options: PeekOptions, peeker: Peeker, onEnded: () => void) {
    this.#onEnded = onEnded;
    this.#core = core;
    this.#memory = memory;
    this.#peeker = peeker;
    const { max, maxBytes, afterSequence, state } = checkPeekOptions(options);
    this.#max = max;
    this.#maxBytes = maxBytes;
    this.#after = afterSequence;
    this.#state = state ?? null;
    this.#group = options.group;
    this.#ids = options.ids === undefined ? null : new Set(options.ids);
    if (options.sequences !== undefined) this.#take(foundAs(core.index, options.sequences));
  }

  /** It has not been answered. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Nobody is there any more to be answered. */
  cancel(): void {
    this.#isOpen = false;
    this.#onEnded();
  }

  /** It is answered with what it has: the queue is going. */
  end(): void {
    if (this.#isOpen) this.#answer(null);
  }

  /** What was being read is there, or lost. */
  onLoaded(): void {
    this.goOn();
  }

  goOn(): void {
    for (let left = MESSAGES_PER_SLICE; this.#isOpen; left--) {
      const found = this.#found;
      if (found !== null && found.index !== this.#core.index) {
        this.#answer(null);
      } else if (found === null) {
        if (!this.#find()) return;
      } else if (this.#next === found.sequences.length) {
        this.#onAllLookedAt(found);
      } else if (left <= 0) {
        this.#goOnLater();
        return;
      } else if (!this.#lookAt(found.sequences[this.#next] as number)) {
        return;
      }
    }
  }

  #goOnLater(): void {
    this.#core.context.clock.schedule(0, () => this.goOn());
  }

  /** @returns false if it goes on later */
  #find(): boolean {
    const { index } = this.#core;
    const known = this.#scan === null ? this.#memory.find(this.#kind, this.#after) : null;
    if (known !== null) {
      this.#take(known);
      return true;
    }
    this.#scan ??= new MessageScan(index, {
      after: this.#after,
      most: Math.max(this.#max, Math.min(FOUND_AT_ONCE, index.groups + index.inFlight + index.delayed)),
      group: this.#group,
      tracked: this.#state === null || this.#state === 'ready' ? undefined : PEEKED_STATES[this.#state],
    });
    const found = this.#scan.goOn();
    if (found === null) {
      this.#goOnLater();
      return false;
    }
    this.#scan = null;
    if (found.sequences.length > this.#max) this.#memory.keep(this.#kind, found);
    this.#take(found);
    return true;
  }

  #take(found: FoundMessages): void {
    this.#found = found;
    this.#next = firstAbove(found.sequences, this.#after);
  }

  /** What it finds are all messages, of which it shows some: the range that it has found gets no others. */
  get #isOfAll(): boolean {
    return this.#group === undefined && (this.#state === null || this.#state === 'ready');
  }

  /** Pages of one kind find the same. */
  get #kind(): string {
    return this.#isOfAll ? KIND_OF_ALL : JSON.stringify([this.#state, this.#group]);
  }

  #onAllLookedAt({ isCut, upTo }: FoundMessages): void {
    this.#after = Math.max(this.#after, upTo);
    this.#found = null;
    // A page that was found before knows nothing of what has come since.
    if (!isCut && (!this.#isOfAll || this.#core.index.lastSequence <= upTo)) this.#answer(null);
    else if (this.#isFull) this.#answer(this.#after);
  }

  get #isFull(): boolean {
    return this.#messages.length >= this.#max || this.#bytes >= this.#maxBytes || this.#looked >= MESSAGES_PER_PAGE;
  }

  /** @returns false if it has to be read first */
  #lookAt(sequence: number): boolean {
    if (this.#isFull) {
      this.#answer(this.#after);
      return true;
    }
    if (this.#mayShow(sequence)) {
      const { log } = this.#core.context;
      const message = log.find(sequence, this);
      if (message === undefined) return false;
      const entryBytes = message === null ? null : log.findEntry(sequence, this.#core.number);
      // Gone by now, or damaged, which is counted when somebody would receive it.
      if (message !== null && entryBytes) this.#show(sequence, message, entryBytes);
    }
    this.#after = sequence;
    this.#next++;
    this.#looked++;
    return true;
  }

  /** What is tracked tells its state without being read. */
  #mayShow(sequence: number): boolean {
    const tracked = this.#core.index.find(sequence);
    if (tracked !== undefined) return this.#state === null || tracked.state === PEEKED_STATES[this.#state];
    return this.#state === null || this.#state === 'ready';
  }

  #show(sequence: number, message: Message, entryBytes: Buffer): void {
    const { index } = this.#core;
    const entry = decodeEntry(entryBytes);
    if (this.#ids?.has(entry.id) === false || (this.#group ?? entry.group) !== entry.group) return;
    const tracked = index.find(sequence);
    if (tracked === undefined && !index.isWaiting(sequence, entry.group, entry.priority)) return;
    const bytes = message.byteLength + entryBytes.length;
    this.#messages.push(peekedMessage(sequence, message, entry, bytes, tracked));
    this.#bytes += message.byteLength;
  }

  #answer(cursor: number | null): void {
    this.#isOpen = false;
    this.#onEnded();
    this.#peeker.onPeeked({ messages: this.#messages, cursor });
  }
}

/** Numbers that somebody has named: there are no more. */
function foundAs(index: MessageIndex, named: readonly number[]): FoundMessages {
  const sequences = [...new Set(named)].sort((one, other) => one - other);
  return { index, after: 0, upTo: Number.POSITIVE_INFINITY, sequences, isCut: false };
}

/** Where the numbers above `after` begin. */
function firstAbove(sequences: readonly number[], after: number): number {
  let low = 0;
  let high = sequences.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sequences[middle] as number) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
