/**
 * What a message can be found by without looking at others: a hash of its id, its key or its topic. The hash only narrows the search: who
 * finds a message compares the text itself. So it needs no secret.
 */
import type { Message } from '../../core/message.js';
import type { MessageEntry } from '../entry-codec.js';
import { hexOfByte } from '../hex-digits.js';
import { KeyedHash } from '../keyed-hash.js';

export type TermKind = 'id' | 'key' | 'topic';

/** Of longer texts so much counts. */
const HASHED_BYTES = 1020;
const WORD_BYTES = 4;

const KIND_BYTES: Readonly<Record<TermKind, number>> = { id: 1, key: 2, topic: 3 };

const bytes = Buffer.allocUnsafeSlow(WORD_BYTES + HASHED_BYTES);
/** The first n words of `bytes`, made when they are first needed. */
const views: (Int32Array | undefined)[] = [];
const hash = new KeyedHash(Buffer.alloc(8));

/** Of all that a message is found by. */
export function termHashes({ topic }: Message, { id, key }: MessageEntry): readonly string[] {
  const hashes = [termHash('id', id), termHash('topic', topic)];
  if (key !== '') hashes.push(termHash('key', key));
  return hashes;
}

/** @returns sixteen hexadecimal digits */
export function termHash(kind: TermKind, text: string): string {
  const length = bytes.write(text, WORD_BYTES, HASHED_BYTES);
  bytes.writeUInt32LE(KIND_BYTES[kind], 0);
  const words = 1 + Math.ceil(length / WORD_BYTES);
  bytes.fill(0, WORD_BYTES + length, words * WORD_BYTES);
  hash.hash(viewOf(words));
  return hexOf(hash.high) + hexOf(hash.low);
}

function viewOf(words: number): Int32Array {
  const view = views[words] ?? new Int32Array(bytes.buffer, bytes.byteOffset, words);
  views[words] = view;
  return view;
}

function hexOf(word: number): string {
  return (
    hexOfByte(word >>> 24) + hexOfByte((word >> 16) & 0xff) + hexOfByte((word >> 8) & 0xff) + hexOfByte(word & 0xff)
  );
}
