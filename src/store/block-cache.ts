/**
 * Which blocks' contents are in memory: those last used, up to a number of bytes, and beyond it those that cannot be
 * read back because they are not on the disk yet. Owned by the message log.
 */
import type { BlockStore } from './block-store.js';
import type { MessageBlock } from './message-block.js';

export class BlockCache {
  readonly #store: BlockStore | null;
  readonly #maximumBytes: number;
  /** The one used last stands last. */
  readonly #blocks = new Map<MessageBlock, number>();
  #bytes = 0;
  #newest: MessageBlock | null = null;

  /** @param store null if nothing can be read back: everything stays */
  constructor(store: BlockStore | null, maximumBytes: number) {
    this.#store = store;
    this.#maximumBytes = maximumBytes;
  }

  /** It holds more than it may, because too much is not on the disk yet. */
  get isOver(): boolean {
    return this.#bytes > this.#maximumBytes;
  }

  /** Takes a sealed block with its content. */
  add(block: MessageBlock): void {
    this.#blocks.set(block, block.memoryBytes);
    this.#bytes += block.memoryBytes;
    this.#newest = block;
    this.#evict();
  }

  remove(block: MessageBlock): void {
    this.#bytes -= this.#blocks.get(block) ?? 0;
    this.#blocks.delete(block);
    if (this.#newest === block) this.#newest = null;
  }

  /** The block has been read. */
  touch(block: MessageBlock): void {
    if (this.#newest === block) return;
    const bytes = this.#blocks.get(block);
    if (bytes === undefined) return;
    this.#blocks.delete(block);
    this.#blocks.set(block, bytes);
    this.#newest = block;
  }

  /** Has blocks written of which something is in memory only, the oldest first, as far as they are more than may stay. */
  spill(write: (block: MessageBlock) => void): void {
    let excess = this.#bytes - this.#maximumBytes;
    if (excess <= 0) return;
    for (const [block, bytes] of this.#blocks) {
      if (excess <= 0) return;
      excess -= bytes;
      if (!block.isComplete) write(block);
    }
  }

  #evict(): void {
    const settled = this.#store?.settledTicket;
    if (settled === undefined) return;
    for (const block of this.#blocks.keys()) {
      if (this.#bytes <= this.#maximumBytes) return;
      if (block === this.#newest || !block.isComplete || block.writtenIn > settled) continue;
      this.remove(block);
      block.unload();
    }
  }
}
