/** A CommittedLevel that writes and reads when the test says so: one group at a time, and one read after the other. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { CommittedLevel } from '../../src/store/committed-level.js';
import type { Encoded, NativeBatch, ReadOptions } from '../../src/store/native-level.js';

interface HeldWrite {
  readonly go: () => void;
  readonly written: Promise<void>;
}

export class SteppedLevel extends CommittedLevel {
  #isStepped = false;
  #isAbandoned = false;
  #heldWrite: HeldWrite | null = null;
  #heldReads: (() => Promise<void>)[] = [];

  /** Writes and reads wait from now on. */
  beginSteps(): void {
    this.#isStepped = true;
  }

  /** Everything goes ahead from now on. */
  async endSteps(): Promise<void> {
    this.#isStepped = false;
    this.#heldWrite?.go();
    await this.read();
  }

  /** Nothing is written any more: whoever waits for it is told that it was. */
  abandon(): Promise<void> {
    this.#isAbandoned = true;
    return this.endSteps();
  }

  /** Writes the group that waits, if there is one; resolves when it is settled. The next one waits then. */
  async write(): Promise<void> {
    const held = this.#heldWrite;
    if (held === null) return;
    held.go();
    await held.written;
    await turnOfTheLoop();
  }

  /** Reads what is waited for, and what is waited for when that is there, until nothing is. */
  async read(): Promise<void> {
    for (let read = this.#heldReads.shift(); read !== undefined; read = this.#heldReads.shift()) {
      await read();
      await turnOfTheLoop();
    }
  }

  protected override async writeBatch(batch: NativeBatch, isSynced: boolean): Promise<void> {
    if (!this.#isStepped) return await this.#write(batch, isSynced);
    let go: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      go = resolve;
    });
    const written = released.then(() => {
      this.#heldWrite = null;
      return this.#write(batch, isSynced);
    });
    this.#heldWrite = { go, written };
    await written;
  }

  override _get(key: Encoded, options: ReadOptions): Promise<Encoded | undefined> {
    if (!this.#isStepped) return super._get(key, options);
    return new Promise((resolve, reject) => {
      this.#heldReads.push(() => super._get(key, options).then(resolve, reject));
    });
  }

  async #write(batch: NativeBatch, isSynced: boolean): Promise<void> {
    if (!this.#isAbandoned) await super.writeBatch(batch, isSynced);
  }
}
