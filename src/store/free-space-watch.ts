/** Looks at the free space about once a second, and as often as so much has been written, and reports it. */
import type { CancelTimer, Clock } from '../core/clock.js';

const INTERVAL_MS = 1000;

export class FreeSpaceWatch {
  readonly #clock: Clock;
  readonly #findFreeBytes: () => Promise<number>;
  readonly #report: (freeBytes: number) => void;
  readonly #lookAfterBytes: number;
  #writtenBytes = 0;
  #cancel: CancelTimer | null = null;
  #isRunning = false;
  #isLooking = false;

  /** @param lookAfterBytes a disk that takes this in less than a second is looked at more often */
  constructor(
    clock: Clock,
    findFreeBytes: () => Promise<number>,
    report: (freeBytes: number) => void,
    lookAfterBytes: number,
  ) {
    this.#clock = clock;
    this.#findFreeBytes = findFreeBytes;
    this.#report = report;
    this.#lookAfterBytes = lookAfterBytes;
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    this.#isRunning = true;
    await this.look();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** So many bytes are being written. */
  onWritten(bytes: number): void {
    this.#writtenBytes += bytes;
    if (this.#writtenBytes >= this.#lookAfterBytes) void this.look();
  }

  /** Looks now; the next time is an interval later. */
  async look(): Promise<void> {
    if (!this.#isRunning || this.#isLooking) return;
    this.#isLooking = true;
    this.#writtenBytes = 0;
    this.#cancel?.();
    const freeBytes = await this.#measure();
    this.#isLooking = false;
    if (!this.#isRunning) return;
    this.#cancel = this.#clock.schedule(INTERVAL_MS, () => void this.look());
    if (freeBytes !== null) this.#report(freeBytes);
  }

  /** @returns null if the file system does not answer: its failing writes will tell, the last figure stands */
  async #measure(): Promise<number | null> {
    try {
      return await this.#findFreeBytes();
    } catch {
      return null;
    }
  }
}
