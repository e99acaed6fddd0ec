/** How a run looks while it goes: a bar on a terminal, a line a second anywhere else (a log, a CI job). */
import { SingleBar } from 'cli-progress';
import { formatCount, formatLatency } from './number-format.js';

/** One moment of a run. */
export interface Progress {
  readonly elapsedSeconds: number;
  /** Readings that the run will have at its end; undefined in a loop. */
  readonly planned: number | undefined;
  readonly sent: number;
  readonly delivered: number;
  readonly deliveredPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ProgressDisplay {
  /** How often the display wants to be shown the progress. */
  readonly everyMs: number;
  show(progress: Progress): void;
  /** No progress follows; what is printed next stands on a line of its own. */
  finish(): void;
}

/** @param print called with each line */
export class LineDisplay implements ProgressDisplay {
  readonly everyMs = 1000;
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  show(progress: Progress): void {
    this.#print(`${Math.round(progress.elapsedSeconds)} s: ${figuresOf(progress)}`);
  }

  finish(): void {}
}

export class BarDisplay implements ProgressDisplay {
  readonly everyMs = 100;
  readonly #bar: SingleBar;
  #started = false;

  constructor(stream: NodeJS.WritableStream) {
    this.#bar = new SingleBar({
      stream,
      format: '{bar} {percentage} %  {figures}',
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      linewrap: false,
    });
  }

  show(progress: Progress): void {
    const total = progress.planned ?? progress.sent;
    const payload = { figures: figuresOf(progress) };
    if (!this.#started) this.#bar.start(total, 0, payload);
    this.#started = true;
    this.#bar.setTotal(total);
    this.#bar.update(progress.delivered, payload);
  }

  finish(): void {
    if (this.#started) this.#bar.stop();
  }
}

function figuresOf({ sent, delivered, deliveredPerSecond, p50Ms, p99Ms }: Progress): string {
  return (
    `${formatCount(sent)} sent, ${formatCount(delivered)} delivered, ${formatCount(deliveredPerSecond)}/s, ` +
    `latency p50 ${formatLatency(p50Ms)} p99 ${formatLatency(p99Ms)}`
  );
}
