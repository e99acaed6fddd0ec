/**
 * Counts latencies in buckets that grow with the value (32 to each power of two, from 1 µs on), so that a quantile is
 * at most about 3 % too high, whatever the range, and a million latencies take no more memory than ten.
 */
const SUB_BUCKETS = 32;
const SUB_BUCKET_BITS = 5;

export class LatencyHistogram {
  readonly #counts: number[] = [];
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  /** The largest latency recorded, exactly; 0 when there is none. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** @param latencyMs a duration; less than 0 counts as 0 */
  record(latencyMs: number): void {
    const bucket = bucketOf(Math.max(0, Math.round(latencyMs * 1000)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
  }

  /**
   * The latency in ms that the fraction `quantile` (0.99 for p99) of all recorded ones does not exceed; never more than
   * `maxMs`, and 0 when nothing is recorded.
   */
  quantileMs(quantile: number): number {
    const wanted = Math.max(1, Math.ceil(quantile * this.#count));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count ?? 0;
      if (seen >= wanted) return Math.min(upperEdgeOf(bucket) / 1000, this.#maxMs);
    }
    return this.#maxMs;
  }
}

/** Below 64 µs one bucket per µs; above, the five bits that follow the leading one choose among 32. */
function bucketOf(micros: number): number {
  if (micros < 2 * SUB_BUCKETS) return micros;
  const shift = Math.floor(Math.log2(micros)) - SUB_BUCKET_BITS;
  return shift * SUB_BUCKETS + Math.floor(micros / 2 ** shift);
}

function upperEdgeOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  const leading = bucket - shift * SUB_BUCKETS;
  return (leading + 1) * 2 ** shift - 1;
}
