/** Whether memory grows: a straight line through the samples of the last two thirds of a run. */

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
    const minutes = used.map(({ atMs }) => atMs / 60_000);
    const sizes = used.map(({ bytes }) => bytes / MiB);
    const [meanTime, meanSize] = [meanOf(minutes), meanOf(sizes)];
    let covariance = 0;
    let variance = 0;
    for (const [i, time] of minutes.entries()) {
      covariance += (time - meanTime) * ((sizes[i] as number) - meanSize);
      variance += (time - meanTime) ** 2;
    }
    return variance === 0 ? 0 : covariance / variance;
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
