/**
 * Whether memory grows: the median of the slopes between any two samples of the last two thirds of a run (Theil and Sen), so that a
 * moment with much on its way says nothing about the rest.
 */

const MiB = 1024 * 1024;

export class MemoryTrend {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  add(atMs: number, bytes: number): void {
    this.#samples.push({ atMs, bytes });
  }

  get lastMb(): number {
    return (this.#samples.at(-1)?.bytes ?? 0) / MiB;
  }

  get largestMb(): number {
    return Math.max(0, ...this.#samples.map(({ bytes }) => bytes)) / MiB;
  }

  /** MiB a minute; 0 for fewer than three samples. */
  get slope(): number {
    const used = this.#samples.slice(Math.floor(this.#samples.length / 3));
    if (used.length < 3) return 0;
    const slopes: number[] = [];
    for (const [i, one] of used.entries()) {
      for (const other of used.slice(i + 1)) {
        if (other.atMs > one.atMs) slopes.push((other.bytes - one.bytes) / MiB / ((other.atMs - one.atMs) / 60_000));
      }
    }
    return median(slopes);
  }
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
