/** Takes over the blocks that a start finds, each with its marks, and notes what has to be removed of them. */

import { BlockMarks } from './block-marks.js';
import type { BlockStore, StoredBlock } from './block-store.js';
import { MessageBlock } from './message-block.js';
import type { RecordOutline } from './message-record.js';
import { StoredMarks } from './stored-marks.js';

/** How many need the message. */
export type ReferencesOf = (outline: Readonly<RecordOutline>) => number;

/** Told of what could not be read, block by block. */
export interface DamageListener {
  /** Messages are lost. */
  readonly onDamaged: (messages: number) => void;
  /** What queues had done with these messages is not known any more: they wait as on the first day. */
  readonly onMarksDamaged?: ((messages: number) => void) | undefined;
}

export class LogRecovery {
  /** Those with a message that somebody needs. */
  readonly blocks: MessageBlock[] = [];
  /** Messages in blocks that could not be read. */
  lost = 0;
  readonly #referencesOf: ReferencesOf;
  readonly #waitingOf: ReferencesOf;
  readonly #listener: DamageListener;
  readonly #deadBlocks: { readonly number: number; readonly storedBytes: number }[] = [];
  readonly #deadMarks: number[] = [];

  /** @param waitingOf how many streams need the message, beside the others */
  constructor(referencesOf: ReferencesOf, waitingOf: ReferencesOf, listener: DamageListener) {
    this.#referencesOf = referencesOf;
    this.#waitingOf = waitingOf;
    this.#listener = listener;
  }

  take({ number, value, marks }: StoredBlock): void {
    const block = value === null ? null : this.#recoverBlock(number, value, marks);
    if (block !== null) this.blocks.push(block);
    else if (marks !== null) this.#deadMarks.push(number);
  }

  /** Removes what nobody needs, and what cannot be read. @param lowest number below which no block is left */
  removeDead(store: BlockStore, lowest: number): void {
    for (const { number, storedBytes } of this.#deadBlocks) store.drop(number, storedBytes, lowest);
    for (const number of this.#deadMarks) store.dropMarks(number);
  }

  /** @returns null if it is to be removed */
  #recoverBlock(number: number, value: Buffer, marks: Buffer | null): MessageBlock | null {
    const stored = marks === null ? null : StoredMarks.decode(marks, number);
    const areMarksDamaged = marks !== null && stored === null;
    const block = areMarksDamaged
      ? this.#recoverWithoutMarks(number, value)
      : MessageBlock.recover(number, value, this.#referencesOf, stored, this.#waitingOf);
    if (block === null) this.#noteDamage(value);
    if (block === null || block.live === 0) {
      this.#deadBlocks.push({ number, storedBytes: value.length });
      return null;
    }
    if (areMarksDamaged) this.#deadMarks.push(number);
    if (stored !== null) {
      block.marks ??= new BlockMarks();
      block.marks.isStored = true;
    }
    return block;
  }

  #recoverWithoutMarks(number: number, value: Buffer): MessageBlock | null {
    let messages = 0;
    const countReferences: ReferencesOf = (outline) => {
      const references = this.#referencesOf(outline);
      if (references > 0 && outline.entries.length > 0) messages++;
      return references;
    };
    const block = MessageBlock.recover(number, value, countReferences, null, this.#waitingOf);
    if (messages > 0) this.#listener.onMarksDamaged?.(messages);
    return block;
  }

  #noteDamage(value: Buffer): void {
    const messages = MessageBlock.countDamaged(value);
    this.#listener.onDamaged(messages);
    this.lost += messages;
  }
}
