/**
 * Notes what queues do with the messages of the log, and has the marks of the blocks that this concerns written when the
 * commit closes: once for each block, however much has changed. Owned by the message log, which says when a block is
 * stored for the first time and when it goes.
 */
import { BlockMarks } from './block-marks.js';
import type { BlockStore } from './block-store.js';
import type { MessageBlock } from './message-block.js';
import { encodeMarks, type QueueStates } from './stored-marks.js';

export class QueueMarks {
  readonly #store: BlockStore | null;
  #states: QueueStates | null = null;
  #dirty: MessageBlock[] = [];

  /** @param store null to keep everything in memory */
  constructor(store: BlockStore | null) {
    this.#store = store;
  }

  setStates(states: QueueStates): void {
    this.#states = states;
  }

  isSettled(block: MessageBlock, queue: number, sequence: number): boolean {
    return block.marks?.isSettled(queue, sequence - block.first) ?? false;
  }

  /** Others need the message still. */
  noteSettled(block: MessageBlock, queue: number, sequence: number): void {
    block.marks ??= new BlockMarks();
    block.marks.noteSettled(queue, sequence - block.first, block.count);
  }

  noteState(block: MessageBlock, queue: number, sequence: number): void {
    if (this.#store === null) return;
    this.noteChange(block).noteState(queue, sequence - block.first, block.count);
  }

  /** The marks of the block go with the commit that is open. */
  noteChange(block: MessageBlock): BlockMarks {
    block.marks ??= new BlockMarks();
    const { marks } = block;
    if (!marks.isDirty && this.#store !== null) {
      marks.isDirty = true;
      this.#dirty.push(block);
    }
    return marks;
  }

  /** The block stands in the store from this commit on: so must what has been noted of it before. */
  onFirstWrite(block: MessageBlock): void {
    if (block.marks !== null) this.noteChange(block);
  }

  /** The block goes, and its marks with it. */
  onDrop(block: MessageBlock): void {
    if (block.marks?.isStored === true) this.#store?.dropMarks(block.number);
    block.marks = null;
  }

  /** Writes what has changed. Called when everything else that the commit has of the log is written. */
  contribute(store: BlockStore): void {
    if (this.#dirty.length === 0) return;
    for (const block of this.#dirty) if (block.marks !== null) this.#write(store, block, block.marks);
    this.#dirty = [];
  }

  #write(store: BlockStore, block: MessageBlock, marks: BlockMarks): void {
    marks.isDirty = false;
    if (!block.isStored) return;
    const value = encodeMarks(block, marks, this.#states);
    if (value !== null) store.writeMarks(block.number, value);
    else if (marks.isStored) store.dropMarks(block.number);
    marks.isStored = value !== null;
  }
}
