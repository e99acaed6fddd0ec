/** Tells the probe in the broker when to begin and when to end, and reads what it has written. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import type { Garbage } from '../probe/garbage.js';

const SIGNAL = 'SIGUSR2';
const POLL_MS = 20;
const LONGEST_MS = 10_000;

export class GarbageWindow {
  readonly #pid: number;
  readonly #file: string;

  /** @param file where the probe writes */
  constructor(pid: number, file: string) {
    this.#pid = pid;
    this.#file = file;
  }

  begin(): void {
    process.kill(this.#pid, SIGNAL);
  }

  end(): void {
    process.kill(this.#pid, SIGNAL);
  }

  /** @throws BenchFailure when the probe does not answer */
  async read(): Promise<Garbage> {
    const deadlineMs = performance.now() + LONGEST_MS;
    while (performance.now() < deadlineMs) {
      if (existsSync(this.#file)) return JSON.parse(readFileSync(this.#file, 'utf8')) as Garbage;
      await delay(POLL_MS);
    }
    throw new BenchFailure('the broker has no probe in it, or it does not answer');
  }
}
