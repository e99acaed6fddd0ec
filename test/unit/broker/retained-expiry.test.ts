import { describe, expect, it } from 'vitest';
import { RetainedExpiry } from '../../../src/broker/retained-expiry.js';

/** Rows with a number each. */
class Rows {
  readonly expiries = new Map<number, number>();
  readonly #places = new Map<number, number>();

  add(row: number, expiresAtMs: number): number {
    this.expiries.set(row, expiresAtMs);
    return row;
  }

  expiresAtMs(row: number): number {
    return this.expiries.get(row) as number;
  }

  expiryPlaceOf(row: number): number {
    return this.#places.get(row) as number;
  }

  setExpiryPlace(row: number, place: number): void {
    this.#places.set(row, place);
  }

  /** Another name for a row. */
  move(from: number, to: number): number {
    this.expiries.set(to, this.expiresAtMs(from));
    this.#places.set(to, this.expiryPlaceOf(from));
    this.delete(from);
    return to;
  }

  delete(row: number): void {
    this.expiries.delete(row);
    this.#places.delete(row);
  }
}

describe('RetainedExpiry', () => {
  it('has the earliest first, whatever comes, goes and moves', () => {
    const rows = new Rows();
    const expiry = new RetainedExpiry(rows);
    let state = 1;
    let last = 0;
    const random = (below: number) => {
      state = (state * 48_271) % 0x7fffffff;
      return state % below;
    };
    for (let step = 0; step < 3000; step++) {
      const known = [...rows.expiries.keys()][random(Math.max(1, rows.expiries.size))];
      // Grows first, shrinks later.
      if (random(3000) > step) {
        expiry.add(rows.add(++last, 1 + random(100)));
      } else if (known !== undefined) {
        expiry.remove(known);
        rows.delete(known);
      }
      const moved = [...rows.expiries.keys()][random(Math.max(1, rows.expiries.size))];
      if (moved !== undefined) expiry.onMoved(rows.move(moved, ++last));
      const earliest = Math.min(...rows.expiries.values());
      const found = expiry.earliest === undefined ? Number.POSITIVE_INFINITY : rows.expiresAtMs(expiry.earliest);
      expect(found).toBe(earliest);
    }
    for (const row of [...rows.expiries.keys()]) expiry.remove(row);
    expect(expiry.earliest).toBeUndefined();
  });
});
