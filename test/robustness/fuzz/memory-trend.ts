/**
 * Whether memory grows: how the least that is held rises in the last two thirds of a run. What is on its way at the moment of a sample only adds
 * to it; so of every few samples the smallest counts, and of the slopes between any two of those the median (Theil and Sen).
 */

/** Of which one counts. */
const SAMPLES_PER_LOW = 5;
const MiB = 1024 * 1024;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class MemoryTrend {
  readonly #samples: Sample[] = [];

  add(atMs: number, bytes: number): void {
    this.#samples.push({ atMs, bytes });
  }

  get lastMb(): number {
    return (this.#samples.at(-1)?.bytes ?? 0) / MiB;
  }

  get largestMb(): number {
    return Math.max(0, ...this.#samples.map(({ bytes }) => bytes)) / MiB;
  }

  /** MiB a minute; 0 if there is too little to say. */
  get slope(): number {
    const lows = lowsOf(this.#samples.slice(Math.floor(this.#samples.length / 3)));
    if (lows.length < 3) return 0;
    const slopes: number[] = [];
    for (const [i, one] of lows.entries()) {
      for (const other of lows.slice(i + 1)) {
        if (other.atMs > one.atMs) slopes.push((other.bytes - one.bytes) / MiB / ((other.atMs - one.atMs) / 60_000));
      }
    }
    return median(slopes);
  }
}

function lowsOf(samples: readonly Sample[]): Sample[] {
  const lows: Sample[] = [];
  for (let at = 0; at + SAMPLES_PER_LOW <= samples.length; at += SAMPLES_PER_LOW) {
    lows.push(samples.slice(at, at + SAMPLES_PER_LOW).reduce((low, one) => (one.bytes < low.bytes ? one : low)));
  }
  return lows;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
