/**
 * Retained messages that expire, the earliest first: a binary heap of rows, each of which knows where it stands, so that one
 * that is replaced leaves at once. Kept by RetainedMessages.
 */
import type { Row } from './retained-row.js';

/** The rows, each with its place in the heap. */
export interface ExpiringRows {
  expiresAtMs(row: Row): number;
  expiryPlaceOf(row: Row): number;
  setExpiryPlace(row: Row, place: number): void;
}

export class RetainedExpiry {
  readonly #rows: ExpiringRows;
  readonly #heap: Row[] = [];

  constructor(rows: ExpiringRows) {
    this.#rows = rows;
  }

  /** The one that expires first. */
  get earliest(): Row | undefined {
    return this.#heap[0];
  }

  /** @param row one that expires, and is not here yet */
  add(row: Row): void {
    this.#heap.push(row);
    this.#rise(row, this.#heap.length - 1);
  }

  /** @param row one that is here */
  remove(row: Row): void {
    const place = this.#rows.expiryPlaceOf(row);
    const last = this.#heap.pop() as Row;
    if (last === row) return;
    this.#sink(last, place);
    this.#rise(last, this.#rows.expiryPlaceOf(last));
  }

  /** A row that is here has another name now. */
  onMoved(row: Row): void {
    this.#heap[this.#rows.expiryPlaceOf(row)] = row;
  }

  #rise(row: Row, from: number): void {
    const expiresAtMs = this.#rows.expiresAtMs(row);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#at(parent) <= expiresAtMs) break;
      this.#put(this.#heap[parent] as Row, place);
      place = parent;
    }
    this.#put(row, place);
  }

  #sink(row: Row, from: number): void {
    const expiresAtMs = this.#rows.expiresAtMs(row);
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (this.#at(child + 1) < this.#at(child)) child++;
      if (this.#at(child) >= expiresAtMs) break;
      this.#put(this.#heap[child] as Row, place);
      place = child;
    }
    this.#put(row, place);
  }

  #at(place: number): number {
    const row = this.#heap[place];
    return row === undefined ? Number.POSITIVE_INFINITY : this.#rows.expiresAtMs(row);
  }

  #put(row: Row, place: number): void {
    this.#heap[place] = row;
    this.#rows.setExpiryPlace(row, place);
  }
}
