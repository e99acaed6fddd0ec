/**
 * Messages that left a queue in one commit, as the sweep of its history will need them: one row for many, since each must be found
 * again when it has been kept for long enough.
 *
 *   version 1 | messages | bytes | for each: sequence | receives
 */
import { DamagedQueueRecord } from '../queue-errors.js';
import { RecordReader } from '../record-reader.js';
import { RecordWriter } from '../record-writer.js';

export interface DepartedMessage {
  readonly sequence: number;
  /** How often it was received, counted or not. */
  readonly receives: number;
}

export interface DepartedTotals {
  readonly messages: number;
  /** What their history takes, about. */
  readonly bytes: number;
}

/** They are removed together, and read for that. */
const MOST_MESSAGES = 256;
const MOST_BYTES = 2 ** 20;

const VERSION = 1;

const writer = new RecordWriter();

export class DepartedMessages {
  readonly #sequences: number[] = [];
  readonly #receives: number[] = [];
  #totalBytes = 0;

  get isEmpty(): boolean {
    return this.#sequences.length === 0;
  }

  get isFull(): boolean {
    return this.#sequences.length >= MOST_MESSAGES || this.#totalBytes >= MOST_BYTES;
  }

  get totals(): DepartedTotals {
    return { messages: this.#sequences.length, bytes: this.#totalBytes };
  }

  add(sequence: number, receives: number, bytes: number): void {
    this.#sequences.push(sequence);
    this.#receives.push(receives);
    this.#totalBytes += bytes;
  }

  /** Encodes all of them, and is empty again. */
  take(): Buffer {
    writer.reset();
    writer.byte(VERSION);
    writer.number(this.#sequences.length);
    writer.number(this.#totalBytes);
    for (let at = 0; at < this.#sequences.length; at++) {
      writer.number(this.#sequences[at] as number);
      writer.number(this.#receives[at] as number);
    }
    this.#sequences.length = 0;
    this.#receives.length = 0;
    this.#totalBytes = 0;
    return writer.finish();
  }
}

/** @throws DamagedQueueRecord */
export function decodeDepartedTotals(row: Buffer): DepartedTotals {
  return readTotals(new RecordReader(row));
}

/** @throws DamagedQueueRecord */
export function decodeDepartedMessages(row: Buffer): readonly DepartedMessage[] {
  const reader = new RecordReader(row);
  const messages: DepartedMessage[] = [];
  for (let left = readTotals(reader).messages; left > 0; left--) {
    messages.push({ sequence: reader.number(), receives: reader.number() });
  }
  return messages;
}

function readTotals(reader: RecordReader): DepartedTotals {
  if (reader.byte() !== VERSION) throw new DamagedQueueRecord('A row of departed messages has an unknown version');
  return { messages: reader.number(), bytes: reader.number() };
}
