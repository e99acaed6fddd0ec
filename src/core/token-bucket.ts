/**
 * A token bucket: `burst` at once, `rate` a second in the long run. Takes the time from its caller, and costs two numbers.
 * It may be overdrawn by one taking, so that something larger than the burst is delayed, and not impossible for ever.
 */

/** Thousandths are counted: with a whole rate, each millisecond brings a whole number of them, and nothing is rounded. */
const WHOLE = 1000;

export class TokenBucket {
  readonly #rate: number;
  readonly #capacity: number;
  #thousandths: number;
  #filledAtMs: number;

  /** @param rate tokens a second @param burst tokens that it holds; it begins full */
  constructor(rate: number, burst: number, nowMs: number) {
    this.#rate = rate;
    this.#capacity = burst * WHOLE;
    this.#thousandths = this.#capacity;
    this.#filledAtMs = nowMs;
  }

  /** Takes one. @returns false if there is none: nothing is taken then */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#thousandths < WHOLE) return false;
    this.#thousandths -= WHOLE;
    return true;
  }

  /** Takes `count` even if there are not so many: the bucket is in debt then, and empty until that is filled up. */
  overdraw(count: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#thousandths -= count * WHOLE;
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#thousandths >= this.#capacity;
  }

  /** Until there is a whole token again; 0 if there is one. */
  msUntilNext(nowMs: number): number {
    this.#fill(nowMs);
    return this.#thousandths >= WHOLE ? 0 : Math.ceil((WHOLE - this.#thousandths) / this.#rate);
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs <= 0) return;
    this.#thousandths = Math.min(this.#capacity, this.#thousandths + elapsedMs * this.#rate);
    this.#filledAtMs = nowMs;
  }
}
