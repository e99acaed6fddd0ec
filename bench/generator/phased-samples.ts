/** Numbers by the part of a run in which they were due, whenever they came. */
import { Samples, type Stopwatch } from './samples.js';

interface Part {
  readonly fromMs: number;
  toMs: number;
  readonly samples: Samples;
}

export class PhasedSamples implements Stopwatch {
  readonly #parts: Part[] = [];

  /**
   * What is due from `fromMs` on goes to the samples that are returned, until `end`.
   * @param capacity how many are kept
   */
  begin(fromMs: number, capacity: number): Samples {
    const samples = new Samples(capacity);
    this.#parts.push({ fromMs, toMs: Number.POSITIVE_INFINITY, samples });
    return samples;
  }

  /** What is due from `toMs` on is not kept, until something begins again. */
  end(toMs: number): void {
    const part = this.#parts.at(-1);
    if (part !== undefined) part.toMs = toMs;
  }

  add(milliseconds: number, dueAtMs: number): void {
    const part = this.#parts.find(({ fromMs, toMs }) => dueAtMs >= fromMs && dueAtMs < toMs);
    part?.samples.add(milliseconds);
  }
}
