/**
 * The messages of one filter that wait for somebody: their numbers in the message log, in order, shared by all sessions
 * that subscribed to the filter. A session is a reader with a position; what all readers have passed is let go. It
 * holds entries only while a reader is behind: who is connected and keeps up gets its messages directly.
 *
 *   entries   …  | 1007 | 1010 | 1011 | 1020 |      a reader at 1010 has 1011 and 1020 before it
 *             #head ^
 */

/** A session that has not read everything. */
export interface StreamReader {
  /** The last sequence number that it has done with. */
  positionIn(stream: MessageStream): number;
}

/** Told which messages no reader of the stream needs any more. */
export type Release = (sequence: number) => void;

const EMPTY = new Float64Array(0);
const SMALLEST_RING = 16;
/** Reads between two looks at the readers' positions; more readers, more reads. */
const READS_PER_TRIM = 64;

export class MessageStream {
  /** Never used again for another stream. Larger than 0. */
  readonly id: number;
  /**
   * It serves one shared subscription of one session: a message in it is what a group has given to this session, and is
   * delivered apart from whatever else brings the same message there.
   */
  readonly isExclusive: boolean;
  /** Subscriptions that it serves; who opens streams counts. */
  subscriptions = 0;
  /** The publication that it has been noted for, and whether somebody waits for that; see MessageRecorder. */
  notedFor = 0;
  isAwaited = false;
  /** This stream alone: what most subscriptions stand in. */
  readonly alone: readonly MessageStream[] = [this];
  /** Most streams have one reader: it stands here, and there is no Set until a second one comes. */
  #onlyReader: StreamReader | null = null;
  #readers: Set<StreamReader> | null = null;
  #sequences: Float64Array = EMPTY;
  /** Bytes of content of all entries ever, up to and including each. */
  #totals: Float64Array = EMPTY;
  #head = 0;
  #length = 0;
  /** Bytes of all entries ever. */
  #total = 0;
  /** The same up to the head. */
  #trimmedTotal = 0;
  #trimmed = 0;
  #readsSinceTrim = 0;

  constructor(id: number, isExclusive = false) {
    this.id = id;
    this.isExclusive = isExclusive;
  }

  /** Entries that it holds. */
  get length(): number {
    return this.#length;
  }

  /** Somebody is behind: what is published has to be pushed. */
  get hasReaders(): boolean {
    return this.#onlyReader !== null || this.#readers !== null;
  }

  /** Entries that it has let go of so far: with it an index can be told from an earlier one. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** Adds an entry at the end; `sequence` is larger than all before. */
  push(sequence: number, bytes: number): void {
    if (this.#length === this.#sequences.length) this.#resize(Math.max(SMALLEST_RING, 2 * this.#length));
    const slot = (this.#head + this.#length) & (this.#sequences.length - 1);
    this.#total += bytes;
    this.#sequences[slot] = sequence;
    this.#totals[slot] = this.#total;
    this.#length++;
  }

  /** Index of the first entry after `sequence`; {@link length} if there is none. Valid until the next trim. */
  indexAfter(sequence: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sequenceAt(middle) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  sequenceAt(index: number): number {
    return this.#sequences[(this.#head + index) & (this.#sequences.length - 1)] as number;
  }

  /** Bytes of content of the entry at `index`. */
  bytesAt(index: number): number {
    return this.#totalBefore(index + 1) - this.#totalBefore(index);
  }

  /** Bytes of content from `index` to the end. */
  bytesFrom(index: number): number {
    return this.#total - this.#totalBefore(index);
  }

  addReader(reader: StreamReader): void {
    if (this.#readers !== null) this.#readers.add(reader);
    else if (this.#onlyReader === null || this.#onlyReader === reader) this.#onlyReader = reader;
    else {
      this.#readers = new Set([this.#onlyReader, reader]);
      this.#onlyReader = null;
    }
  }

  /** The reader has read everything, or will not. */
  removeReader(reader: StreamReader, release: Release): void {
    if (this.#onlyReader === reader) this.#onlyReader = null;
    else if (this.#readers?.delete(reader) !== true) return;
    else if (this.#readers.size === 0) this.#readers = null;
    this.trim(release);
  }

  /** A reader has gone on by one: looks after a while whether something can be let go. */
  onRead(release: Release): void {
    if (++this.#readsSinceTrim >= READS_PER_TRIM + (this.#readers?.size ?? 0)) this.trim(release);
  }

  /** Lets go of what all readers have passed. */
  trim(release: Release): void {
    this.#readsSinceTrim = 0;
    let end = this.#length;
    if (this.hasReaders && end > 0) end = this.indexAfter(this.slowestPosition());
    if (end === 0) return;
    this.#trimmedTotal = this.#totalBefore(end);
    for (let index = 0; index < end; index++) release(this.sequenceAt(index));
    this.#head = (this.#head + end) & (this.#sequences.length - 1);
    this.#length -= end;
    this.#trimmed += end;
    if (this.#length === 0) this.#resize(0);
    else if (this.#length * 4 < this.#sequences.length && this.#sequences.length > SMALLEST_RING) {
      this.#resize(this.#sequences.length / 2);
    }
  }

  /** Where the reader stands that is furthest behind. */
  slowestPosition(): number {
    let slowest = this.#onlyReader?.positionIn(this) ?? Number.POSITIVE_INFINITY;
    if (this.#readers === null) return slowest;
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.positionIn(this));
    return slowest;
  }

  #totalBefore(index: number): number {
    if (index === 0) return this.#trimmedTotal;
    return this.#totals[(this.#head + index - 1) & (this.#sequences.length - 1)] as number;
  }

  #resize(size: number): void {
    const sequences = size === 0 ? EMPTY : new Float64Array(size);
    const totals = size === 0 ? EMPTY : new Float64Array(size);
    for (let index = 0; index < this.#length; index++) {
      const slot = (this.#head + index) & (this.#sequences.length - 1);
      sequences[index] = this.#sequences[slot] as number;
      totals[index] = this.#totals[slot] as number;
    }
    this.#sequences = sequences;
    this.#totals = totals;
    this.#head = 0;
  }
}
