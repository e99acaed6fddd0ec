/** A CommittedLevel whose writes can be held back or fail, and whose disk is as full as the test says. */
import { CommittedLevel } from '../../src/store/committed-level.js';
import type { NativeBatch } from '../../src/store/native-level.js';

export class FaultyLevel extends CommittedLevel {
  /** Whether each write so far was synced; failed ones count. */
  readonly writes: boolean[] = [];
  /** How many of the next writes fail. */
  failures = 0;
  /** Runs instead of nothing before a write fails: what a failing disk leaves behind. */
  onFailure: (batch: NativeBatch) => Promise<void> = async () => {};
  freeBytes = Number.MAX_SAFE_INTEGER;
  #held: Promise<void> | null = null;
  #release: () => void = () => {};

  /** Writes wait from now on. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#held = null;
    this.#release();
  }

  protected override async writeBatch(batch: NativeBatch, isSynced: boolean): Promise<void> {
    this.writes.push(isSynced);
    if (this.#held !== null) await this.#held;
    if (this.failures > 0) {
      this.failures--;
      await this.onFailure(batch);
      throw Object.assign(new Error('IO error: No space left on device'), { code: 'ENOSPC' });
    }
    await super.writeBatch(batch, isSynced);
  }

  protected override async findFreeBytes(): Promise<number> {
    return this.freeBytes;
  }
}
