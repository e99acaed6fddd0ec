/**
 * Where retained messages lie, as rows, see retained-row.ts. Small ones are packed into pages, one after the other. What is
 * replaced leaves a gap; the rest of a page that is less than half full moves on to another one, so that pages take at most twice
 * what is in them.
 *
 * A Message of a row that somebody holds on to after that has gone from here keeps its page, and no more than that, in memory.
 */
import type { Message } from '../core/message.js';
import type { RetainedTopics } from '../topics/retained-topics.js';
import type { ExpiringRows } from './retained-expiry.js';
import type { Row } from './retained-row.js';
import * as row from './retained-row.js';

const PAGE_BYTES = 16 * 1024;
/** Places in a page where a row may begin. */
const PLACES = PAGE_BYTES / row.ROW_ALIGNMENT;
/** A longer row has a page of its own. */
const LARGEST_PACKED_BYTES = PAGE_BYTES / 8;

interface Page {
  readonly number: number;
  readonly bytes: Buffer;
  used: number;
  /** Bytes of rows that are still retained. */
  live: number;
}

export class RetainedPages implements RetainedTopics<Row>, ExpiringRows {
  readonly #onMoved: (row: Row) => void;
  readonly #pages: (Page | null)[] = [];
  readonly #freeNumbers: number[] = [];
  #filling: Page;
  #bytes = 0;
  /** The client id that has been read last: a publisher's messages often follow each other. */
  #publisherId = '';
  #publisherBytes: Buffer = Buffer.alloc(0);

  /** @param onMoved told what the row is now, before it is gone from where it was */
  constructor(onMoved: (row: Row) => void) {
    this.#onMoved = onMoved;
    this.#filling = this.#openPage(PAGE_BYTES);
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes a message that is retained from now on. */
  add(message: Message): Row {
    const length = row.rowLengthFor(message);
    const page = length > LARGEST_PACKED_BYTES ? this.#openPage(length) : this.#pageFor(length);
    const at = page.used;
    row.writeRow(page.bytes, at, length, message);
    page.used += length;
    page.live += length;
    return rowAt(page, at);
  }

  /** It is not retained any more. Its content stays for who has a Message of it. */
  release(released: Row): void {
    const page = this.#pageOf(released);
    const at = offsetOf(released);
    row.markRowReleased(page.bytes, at);
    page.live -= row.rowLength(page.bytes, at);
    if (page !== this.#filling) this.#vacateIfSparse(page);
  }

  /** The message; it may be held on to. */
  read(wanted: Row): Message {
    const { bytes } = this.#pageOf(wanted);
    const at = offsetOf(wanted);
    return row.messageOfRow(bytes, at, this.#publisherOf(bytes, at));
  }

  /** Bytes of the row. */
  bytesOf(wanted: Row): number {
    return row.rowLength(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  topicOf(wanted: Row): string {
    return row.topicOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  isAbout(wanted: Row, topic: string): boolean {
    return row.isRowAbout(this.#pageOf(wanted).bytes, offsetOf(wanted), topic);
  }

  startsWith(wanted: Row, beginning: string): boolean {
    return row.rowStartsWith(this.#pageOf(wanted).bytes, offsetOf(wanted), beginning);
  }

  lengthOf(wanted: Row): number {
    return row.topicLengthOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  levelsOf(wanted: Row): number {
    return row.levelsOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  arrivedAtMs(wanted: Row): number {
    return row.arrivedAtOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  expiresAtMs(wanted: Row): number {
    return row.expiresAtOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  expiryPlaceOf(wanted: Row): number {
    return row.expiryPlaceOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted));
  }

  setExpiryPlace(wanted: Row, place: number): void {
    row.setExpiryPlaceOfRow(this.#pageOf(wanted).bytes, offsetOf(wanted), place);
  }

  #publisherOf(bytes: Buffer, at: number): string {
    const start = row.publisherStartOfRow(bytes, at);
    const end = row.topicStartOfRow(bytes, at);
    const known = this.#publisherBytes;
    let same = known.length === end - start;
    for (let index = 0; same && index < known.length; index++) same = known[index] === bytes[start + index];
    if (!same) {
      this.#publisherId = bytes.utf8Slice(start, end);
      this.#publisherBytes = Buffer.from(this.#publisherId);
    }
    return this.#publisherId;
  }

  #pageFor(length: number): Page {
    if (this.#filling.used + length > PAGE_BYTES) {
      const full = this.#filling;
      this.#filling = this.#openPage(PAGE_BYTES);
      this.#vacateIfSparse(full);
    }
    return this.#filling;
  }

  #vacateIfSparse(page: Page): void {
    if (page.live > page.bytes.length / 2) return;
    for (let at = 0; at < page.used; at += row.rowLength(page.bytes, at)) {
      if (!row.isRowReleased(page.bytes, at)) this.#move(page, at);
    }
    // Not earlier: whoever looks up where a row has moved to may come by one that has not yet.
    this.#pages[page.number] = null;
    this.#freeNumbers.push(page.number);
    this.#bytes -= page.bytes.length;
  }

  #move(from: Page, at: number): void {
    const length = row.rowLength(from.bytes, at);
    const to = this.#pageFor(length);
    const start = to.used;
    from.bytes.copy(to.bytes, start, at, at + length);
    to.used += length;
    to.live += length;
    this.#onMoved(rowAt(to, start));
  }

  #openPage(bytes: number): Page {
    const number = this.#freeNumbers.pop() ?? this.#pages.length;
    const page = { number, bytes: Buffer.allocUnsafeSlow(bytes), used: 0, live: 0 };
    this.#pages[number] = page;
    this.#bytes += bytes;
    return page;
  }

  #pageOf(wanted: Row): Page {
    return this.#pages[Math.floor(wanted / PLACES)] as Page;
  }
}

function rowAt(page: Page, at: number): Row {
  return page.number * PLACES + at / row.ROW_ALIGNMENT;
}

function offsetOf(wanted: Row): number {
  return (wanted % PLACES) * row.ROW_ALIGNMENT;
}
