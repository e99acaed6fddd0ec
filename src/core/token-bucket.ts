/**
 * A token bucket: `burst` at once, `rate` a second in the long run. Takes the time from its caller, and costs two numbers.
 * It may be overdrawn by one taking, so that something larger than the burst is delayed, and not impossible for ever.
 */
export class TokenBucket {
  readonly rate: number;
  readonly burst: number;
  #tokens: number;
  #filledAtMs: number;

  /** @param rate tokens a second @param burst tokens that it holds; it begins full */
  constructor(rate: number, burst: number, nowMs: number) {
    this.rate = rate;
    this.burst = burst;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes one. @returns false if there is none: nothing is taken then */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes `count` even if there are not so many: the bucket is in debt then, and empty until that is filled up. */
  overdraw(count: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= count;
  }

  /** Whether there is anything left. */
  hasTokens(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens > 0;
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.burst;
  }

  /** Until there is a whole token again; 0 if there is one. */
  msUntilNext(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.rate);
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledAtMs;
    if (elapsedMs <= 0) return;
    this.#tokens = Math.min(this.burst, this.#tokens + (elapsedMs * this.rate) / 1000);
    this.#filledAtMs = nowMs;
  }
}
