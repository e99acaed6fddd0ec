/**
 * The deduplication ids of a queue's last minutes. They stand in chunks: the last one grows, and is written with the commit in
 * which it grew; when the youngest id of a chunk has outlived the window, the chunk goes as a whole. An id is
 * compared with the window exactly. None is forgotten before its time: while there is no room for another one, whoever comes
 * with it is refused.
 *
 *   chunk: version 1 | first ms | for each: ms after the first | deduplication id | message id
 */
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { DamagedQueueRecord } from './queue-errors.js';
import { RecordReader } from './record-reader.js';
import { RecordWriter } from './record-writer.js';

interface KnownId {
  readonly deduplicationId: string;
  readonly messageId: string;
  readonly acceptedAtMs: number;
  /** Of the commit that holds it. */
  readonly ticket: Ticket;
}

interface Chunk {
  readonly number: number;
  readonly ids: KnownId[];
}

/** How chunks are kept. */
export interface ChunkHome {
  onChunkChanged(chunk: number): Ticket;
  onChunksRemoved(below: number): void;
}

const VERSION = 1;
/** Each commit writes the open chunk again. */
const IDS_PER_CHUNK = 128;
/** A chunk spans at most this part of the window, so that ids do not stay much longer than it. */
const CHUNKS_PER_WINDOW = 8;

/** What an id takes in memory besides its text and that of the message's id: 167 bytes were measured in Node 20, and tables grow by doubling. */
const BYTES_PER_ID = 192;

const writer = new RecordWriter();

export class DeduplicationWindow {
  readonly #windowMs: () => number;
  readonly #home: ChunkHome;
  readonly #known = new Map<string, KnownId>();
  readonly #maxBytes: () => number;
  #chunks: Chunk[] = [];
  #nextChunk = 1;
  #bytes = 0;

  /**
   * Both are asked each time: they may be configured anew.
   * @param windowMs how long an id is known
   * @param maxBytes of memory, about, that all of them may take
   */
  constructor(windowMs: () => number, maxBytes: () => number, home: ChunkHome) {
    this.#windowMs = windowMs;
    this.#maxBytes = maxBytes;
    this.#home = home;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Of memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether another id may be added; those whose time is over make room. */
  hasRoom(nowMs: number): boolean {
    if (this.#bytes < this.#maxBytes()) return true;
    this.#removeOld(nowMs);
    return this.#bytes < this.#maxBytes();
  }

  /** The message that was accepted with this id within the window. */
  find(deduplicationId: string, nowMs: number): { readonly messageId: string; readonly ticket: Ticket } | undefined {
    const known = this.#known.get(deduplicationId);
    return known !== undefined && nowMs - known.acceptedAtMs < this.#windowMs() ? known : undefined;
  }

  /** @returns the ticket of the commit that will hold it */
  add(deduplicationId: string, messageId: string, nowMs: number): Ticket {
    this.#removeOld(nowMs);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#isFull(chunk, nowMs)) {
      chunk = { number: this.#nextChunk++, ids: [] };
      this.#chunks.push(chunk);
    }
    const ticket = this.#home.onChunkChanged(chunk.number);
    this.#put(chunk, { deduplicationId, messageId, acceptedAtMs: nowMs, ticket });
    return ticket;
  }

  /** null if there is no such chunk any more. */
  encode(number: number): Buffer | null {
    const chunk = this.#chunks.findLast((candidate) => candidate.number === number);
    const first = chunk?.ids[0];
    if (chunk === undefined || first === undefined) return null;
    writer.reset();
    writer.byte(VERSION);
    writer.number(first.acceptedAtMs);
    for (const { acceptedAtMs, deduplicationId, messageId } of chunk.ids) {
      writer.number(acceptedAtMs - first.acceptedAtMs);
      writer.text(deduplicationId);
      writer.text(messageId);
    }
    return writer.finish();
  }

  /** For recovery; chunks come in order. @throws DamagedQueueRecord */
  restore(number: number, bytes: Buffer): void {
    this.#nextChunk = Math.max(this.#nextChunk, number + 1);
    const reader = new RecordReader(bytes);
    if (reader.byte() !== VERSION) throw new DamagedQueueRecord('A chunk of ids has an unknown version');
    const firstMs = reader.number();
    const chunk: Chunk = { number, ids: [] };
    this.#chunks.push(chunk);
    while (!reader.isAtEnd) {
      const acceptedAtMs = firstMs + reader.number();
      this.#put(chunk, { deduplicationId: reader.text(), messageId: reader.text(), acceptedAtMs, ticket: NO_TICKET });
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#known.clear();
    this.#chunks = [];
    this.#bytes = 0;
    this.#home.onChunksRemoved(this.#nextChunk);
  }

  #put(chunk: Chunk, known: KnownId): void {
    chunk.ids.push(known);
    this.#bytes += bytesOf(known);
    this.#known.set(known.deduplicationId, known);
  }

  #isFull(chunk: Chunk, nowMs: number): boolean {
    const firstMs = chunk.ids[0]?.acceptedAtMs ?? nowMs;
    return chunk.ids.length >= IDS_PER_CHUNK || nowMs - firstMs > this.#windowMs() / CHUNKS_PER_WINDOW;
  }

  #removeOld(nowMs: number): void {
    let gone = 0;
    for (const { ids } of this.#chunks) {
      const lastMs = ids.at(-1)?.acceptedAtMs ?? 0;
      if (nowMs - lastMs < this.#windowMs()) break;
      gone++;
      for (const known of ids) {
        this.#bytes -= bytesOf(known);
        if (this.#known.get(known.deduplicationId) === known) this.#known.delete(known.deduplicationId);
      }
    }
    if (gone === 0) return;
    this.#chunks = this.#chunks.slice(gone);
    this.#home.onChunksRemoved(this.#chunks[0]?.number ?? this.#nextChunk);
  }
}

function bytesOf({ deduplicationId, messageId }: KnownId): number {
  return BYTES_PER_ID + deduplicationId.length + messageId.length;
}
