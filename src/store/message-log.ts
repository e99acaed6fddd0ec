/**
 * Every message that somebody still needs, once, whoever and however many need it. Messages get growing sequence
 * numbers and stand in blocks; a block goes when nobody needs anything in it, and one that a few messages hold is
 * packed. Payloads lie on the disk behind a bounded cache; in memory a message costs its count of who needs it.
 */
import type { DurabilityLevel } from '../core/durability.js';
import type { Message } from '../core/message.js';
import { BlockCache } from './block-cache.js';
import type { BlockStore } from './block-store.js';
import { type DamageListener, LogRecovery, type ReferencesOf } from './log-recovery.js';
import { MessageBlock } from './message-block.js';
import { largestRecord } from './message-record.js';
import { NO_ENTRIES, type QueueEntry } from './queue-entry.js';
import { QueueMarks } from './queue-marks.js';
import type { QueueStates } from './stored-marks.js';
import { NO_TICKET, type Ticket } from './ticket.js';

/** Waits for a block to come into memory. */
export interface LogReader {
  onLoaded(): void;
}

/** Gives out numbers that grow by one, and are never given out again by a later process. */
export interface NumberSource {
  next(): number;
  /** None up to this one is given out from now on. Left out where nothing that was given out can be forgotten. */
  ensureAbove?(number: number): void;
}

/** A message's place in the log: a stream's id goes on record with it. */
export interface StreamReference {
  readonly id: number;
}

export interface MessageLogOptions extends DamageListener {
  /** Bytes of blocks that are kept in memory for who will read them. */
  readonly cacheBytes: number;
  /** Calls back a little later: to read again what could not be read. */
  readonly later?: (callback: () => void) => void;
}

/** No sequence number: the next one has yet to be taken. */
const NOT_TAKEN = 0;
/** A block is sealed at the end of a commit from this size on: until then each commit writes it again. */
const SEALED_FROM_BYTES = 4096;
/** A block of which less than this part is needed is packed. */
const SPARSE_PART = 1 / 8;
/** Room that a block is given in advance at most. */
const LARGEST_ROOM_BYTES = 64 * 1024;
/** Smaller ones are not worth it. */
const PACKED_FROM_BYTES = 8192;
/** Blocks packed in one commit. */
const PACKED_PER_COMMIT = 4;

export class MessageLog {
  readonly #store: BlockStore | null;
  readonly #numbers: NumberSource;
  readonly #listener: DamageListener;
  readonly #later: (callback: () => void) => void;
  #isClosing = false;
  readonly #cache: BlockCache;
  readonly #marks: QueueMarks;
  /** In order. */
  readonly #blocks: MessageBlock[] = [];
  #open: MessageBlock | null = null;
  /** Sealed, and to be written in the commit that is open. */
  #unwritten: MessageBlock[] = [];
  /** Of those: asked for with every message that is stored. */
  #unwrittenBytes = 0;
  readonly #sparse = new Set<MessageBlock>();
  readonly #loading = new Map<MessageBlock, Set<LogReader>>();
  /** Taken when it is first needed: what is in use may be found out only while the store is read. */
  #nextSequence = NOT_TAKEN;
  #recent: MessageBlock | null = null;
  /** Bytes of the last block: the next one will probably need as many. */
  #lastBlockBytes = 0;
  #messages = 0;
  #waitingBytes = 0;

  /** @param store null to keep everything in memory */
  constructor(store: BlockStore | null, numbers: NumberSource, options: MessageLogOptions) {
    this.#store = store;
    this.#numbers = numbers;
    this.#listener = options;
    this.#later = options.later ?? (() => {});
    this.#cache = new BlockCache(store, options.cacheBytes);
    this.#marks = new QueueMarks(store);
  }

  /** The number that the next message will have. */
  get nextSequence(): number {
    if (this.#nextSequence === NOT_TAKEN) this.#nextSequence = this.#numbers.next();
    return this.#nextSequence;
  }

  /** The number is known to be in use, or to have been: messages get only higher ones. For recovery. */
  ensureAbove(sequence: number): void {
    this.#numbers.ensureAbove?.(sequence);
    if (this.#nextSequence <= sequence) this.#nextSequence = NOT_TAKEN;
  }

  /** Messages that somebody needs. */
  get messages(): number {
    return this.#messages;
  }

  /** Bytes that the blocks take where they are stored. */
  get storedBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.storedBytes, 0);
  }

  /**
   * Bytes of what waits for sessions, each message once however many wait for it, as blocks hold them: what has been read
   * counts until nothing in its block waits any more, or until the block is packed.
   */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes that wait for the open commit to close. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes + (this.#open?.isDirty === true ? this.#open.storedBytes : 0);
  }

  /**
   * Adds a message, which gets {@link nextSequence}.
   * @param references how often {@link release}, {@link leave} or {@link settle} will be called before it may go; 1 or more
   * @param entries one for each queue in which it stands; each is one of the references
   * @param waiting how many of the references are those of streams, which {@link leave} gives up
   * @returns the ticket of the commit that will hold it
   */
  append(
    message: Message,
    streams: readonly StreamReference[],
    references: number,
    durability: DurabilityLevel,
    entries: readonly QueueEntry[] = NO_ENTRIES,
    waiting = 0,
  ): Ticket {
    const open = this.#open;
    let block = open?.end === this.nextSequence ? open : this.#startBlockFor(message, streams, entries);
    let before = block.waitingBytes;
    if (!block.append(message, streams, references, entries, waiting)) {
      block = this.#startBlockFor(message, streams, entries);
      before = 0;
      block.append(message, streams, references, entries, waiting);
    }
    this.#waitingBytes += block.waitingBytes - before;
    this.#nextSequence = this.#numbers.next();
    this.#messages++;
    if (durability === 'memory' || this.#store === null) return NO_TICKET;
    block.isDirty = true;
    if (durability === 'fsync') block.mustSync = true;
    return this.#store.requireCommit(durability === 'fsync');
  }

  /** One more needs the message: {@link release} will be called once more. */
  retain(sequence: number): void {
    this.#find(sequence)?.retain(sequence);
  }

  /** One who needed the message has done with it: a session, or a queue that is no more. */
  release(sequence: number): void {
    const block = this.#find(sequence);
    if (block !== undefined) this.#release(block, sequence);
  }

  /** A stream has let go of the message, for all its readers. */
  leave(sequence: number): void {
    const block = this.#find(sequence);
    if (block === undefined) return;
    if (block.waiting > 0 && --block.waiting === 0) this.#forgetWaiting(block);
    this.#release(block, sequence);
  }

  /** Knows the states that {@link stateChanged} speaks of. To be set before {@link recover}. */
  setQueueStates(states: QueueStates): void {
    this.#marks.setStates(states);
  }

  /**
   * The queue has done with the message: its reference is released, and a restart will know of it. What is settled already
   * stays so.
   * @param isSynced somebody waits until it is on the disk
   * @returns the ticket of the commit that is open
   */
  settle(queue: number, sequence: number, isSynced: boolean): Ticket {
    const block = this.#find(sequence);
    if (block?.isLive(sequence) === true && !this.#marks.isSettled(block, queue, sequence)) {
      this.#marks.noteChange(block);
      if (!this.#release(block, sequence)) this.#marks.noteSettled(block, queue, sequence);
    }
    return this.#store?.requireCommit(isSynced) ?? NO_TICKET;
  }

  /**
   * The state of the message in the queue has changed: it is asked for when the commit closes, once, and each time that
   * other marks of its block are written.
   * @param isSynced somebody waits until it is on the disk
   * @returns the ticket of the commit that is open
   */
  stateChanged(queue: number, sequence: number, isSynced: boolean): Ticket {
    const block = this.#find(sequence);
    if (block?.isLive(sequence) === true && !this.#marks.isSettled(block, queue, sequence)) {
      this.#marks.noteState(block, queue, sequence);
    }
    return this.#store?.requireCommit(isSynced) ?? NO_TICKET;
  }

  /** The queue's number is given up: what is noted of it vanishes as blocks are written again. */
  forgetQueue(queue: number): void {
    for (const { marks } of this.#blocks) marks?.forget(queue);
  }

  /** Somebody needs the message with this number. */
  has(sequence: number): boolean {
    return this.#find(sequence)?.isLive(sequence) ?? false;
  }

  /**
   * The message with this number.
   * @returns null if nobody needs it any more or it was lost; undefined if it has to be read: `reader` is told then
   */
  find(sequence: number, reader: LogReader): Message | null | undefined {
    const block = this.#findLoaded(sequence, reader);
    return block === undefined || block === null ? block : (block.messageAt(sequence) ?? null);
  }

  /**
   * What is on record with the message for the queue: a view, of as long use as the message.
   * @returns null if there is nothing, or no message; undefined if it has to be read: `reader` is told then
   */
  findEntry(sequence: number, queue: number, reader: LogReader): Buffer | null | undefined {
    const block = this.#findLoaded(sequence, reader);
    return block === undefined || block === null ? block : block.entryAt(sequence, queue);
  }

  /** From now on nothing is read or packed: the database is about to be closed. What is recorded is written still. */
  close(): void {
    this.#isClosing = true;
    this.#sparse.clear();
  }

  /** Writes what the commit that is about to close must hold. Called by whoever owns the commit. */
  contribute(): void {
    const store = this.#store;
    if (store === null) return;
    for (const block of this.#unwritten) this.#writeDirty(store, block);
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    const open = this.#open;
    if (open !== null) {
      this.#writeDirty(store, open);
      if (open.storedBytes >= SEALED_FROM_BYTES) this.#seal(open);
    }
    this.#cache.spill((block) => this.#write(store, block));
    this.#packSome(store);
    this.#marks.contribute(store);
  }

  /**
   * Takes over what is stored, before anything else is done.
   * @param referencesOf how many need the message; called for each, in order
   * @param waitingOf how many streams need it as well, with a call of {@link leave} to come from each; called before the other
   * @returns messages that were lost with damaged blocks, which are dropped: they are told this once
   */
  async recover(referencesOf: ReferencesOf, waitingOf: ReferencesOf = () => 0): Promise<number> {
    if (this.#store === null) return 0;
    const recovery = new LogRecovery(referencesOf, waitingOf, this.#listener);
    for await (const stored of this.#store.scan()) recovery.take(stored);
    for (const block of recovery.blocks) {
      this.#blocks.push(block);
      this.#messages += block.live;
      this.#waitingBytes += block.waitingBytes;
    }
    recovery.removeDead(this.#store, this.#lowestBlock);
    return recovery.lost;
  }

  #forgetWaiting(block: MessageBlock): void {
    this.#waitingBytes -= block.waitingBytes;
    block.waitingBytes = 0;
  }

  /** @returns true if it was the last one who needed the message */
  #release(block: MessageBlock, sequence: number): boolean {
    if (!block.release(sequence)) return false;
    this.#messages--;
    if (block.live === 0) {
      if (block.isSealed) this.#drop(block);
    } else if (block.live < block.count * SPARSE_PART && block.isSealed && block.storedBytes >= PACKED_FROM_BYTES) {
      this.#sparse.add(block);
    }
    return true;
  }

  /** The block of a message that somebody needs, as {@link find} has it. */
  #findLoaded(sequence: number, reader: LogReader): MessageBlock | null | undefined {
    const block = this.#find(sequence);
    if (block === undefined || !block.isLive(sequence)) return null;
    if (block.isLoaded) {
      this.#cache.touch(block);
      return block;
    }
    let readers = this.#loading.get(block);
    if (readers === undefined) {
      readers = new Set();
      this.#loading.set(block, readers);
      if (!this.#isClosing) void this.#load(block);
    }
    readers.add(reader);
    return undefined;
  }

  /** Blocks bear the number of their first message: the store must never see a number again that it has dropped. */
  #startBlockFor(message: Message, streams: readonly StreamReference[], entries: readonly QueueEntry[]): MessageBlock {
    const leastBytes = largestRecord(message, streams.length, entries);
    if (this.#open !== null) this.#seal(this.#open);
    const roomBytes = Math.max(leastBytes, this.#lastBlockBytes);
    const block = MessageBlock.open(this.nextSequence, this.nextSequence, roomBytes);
    this.#blocks.push(block);
    this.#open = block;
    return block;
  }

  #seal(block: MessageBlock): void {
    block.isSealed = true;
    this.#lastBlockBytes = Math.min(block.storedBytes, LARGEST_ROOM_BYTES);
    this.#open = null;
    if (block.live === 0) {
      this.#drop(block);
      return;
    }
    if (block.isDirty) {
      this.#unwritten.push(block);
      this.#unwrittenBytes += block.storedBytes;
    }
    block.trimBuffer();
    this.#cache.add(block);
    if (this.#cache.isOver) this.#store?.requireCommit(false);
  }

  /** What nobody needs any more, since whoever needed it has acknowledged it already, need not be written. */
  #writeDirty(store: BlockStore, block: MessageBlock): void {
    if (block.isDirty && block.live > 0) this.#write(store, block);
    block.isDirty = false;
  }

  #write(store: BlockStore, block: MessageBlock): void {
    block.writtenIn = store.write(block.number, block.encode(), block.mustSync);
    block.mustSync = false;
    if (!block.isStored) this.#marks.onFirstWrite(block);
    block.isStored = true;
    block.isComplete = true;
  }

  #drop(block: MessageBlock): void {
    this.#blocks.splice(this.#indexOf(block.first), 1);
    this.#sparse.delete(block);
    this.#cache.remove(block);
    this.#marks.onDrop(block);
    this.#forgetWaiting(block);
    if (this.#recent === block) this.#recent = null;
    // The block is old and what was read of it is young: garbage that refers to it would have it outlive many collections.
    block.unload();
    if (block.isStored) this.#store?.drop(block.number, block.storedBytes, this.#lowestBlock);
  }

  get #lowestBlock(): number {
    return this.#blocks[0]?.number ?? this.nextSequence;
  }

  #packSome(store: BlockStore): void {
    if (this.#isClosing) return;
    let left = PACKED_PER_COMMIT;
    for (const block of this.#sparse) {
      if (left-- === 0) return;
      this.#sparse.delete(block);
      if (!block.isStored) continue;
      if (block.isLoaded) this.#pack(store, block);
      else this.find(this.#firstLive(block), { onLoaded: () => this.#packWhenLoaded(store, block) });
    }
  }

  #packWhenLoaded(store: BlockStore, block: MessageBlock): void {
    if (!block.isLoaded || block.live === 0) return;
    this.#sparse.add(block);
    store.requireCommit(false);
  }

  #pack(store: BlockStore, block: MessageBlock): void {
    this.#cache.remove(block);
    const before = block.waitingBytes;
    block.compact();
    this.#waitingBytes += block.waitingBytes - before;
    this.#write(store, block);
    this.#cache.add(block);
  }

  #firstLive(block: MessageBlock): number {
    let sequence = block.first;
    while (!block.isLive(sequence)) sequence++;
    return sequence;
  }

  async #load(block: MessageBlock): Promise<void> {
    let value: Buffer | undefined;
    try {
      value = await this.#store?.read(block.number);
    } catch {
      // It is there, for all that we know: who cannot be read now may be read later, or after the next start.
      if (!this.#isClosing) this.#later(() => void this.#load(block));
      return;
    }
    const readers = this.#loading.get(block);
    this.#loading.delete(block);
    if (block.live > 0) {
      if (value !== undefined && block.load(value)) this.#cache.add(block);
      else this.#onUnreadable(block);
    }
    for (const reader of readers ?? []) reader.onLoaded();
  }

  /** Who waits for a message of it finds that it is gone. */
  #onUnreadable(block: MessageBlock): void {
    this.#listener.onDamaged(block.live);
    this.#messages -= block.live;
    this.#drop(block);
  }

  #find(sequence: number): MessageBlock | undefined {
    const recent = this.#recent;
    if (recent !== null && sequence >= recent.first && sequence < recent.end) return recent;
    const block = this.#blocks[this.#indexOf(sequence)];
    if (block === undefined || sequence >= block.end) return undefined;
    this.#recent = block;
    return block;
  }

  /** Index of the last block that begins at `sequence` or before it; -1 for none. */
  #indexOf(sequence: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] as MessageBlock).first <= sequence) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
