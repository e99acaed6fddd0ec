/**
 * The log on its way to standard output. Lines are gathered and written together, and nobody waits for who reads them. At
 * the end of the process the rest is written at once: that wait has a bound, and there is none once the reader is gone.
 */
import { write, writeSync } from 'node:fs';

/** Lines are gathered up to this many characters, but not longer than the interval: a write per line costs more than the line. */
const GATHERED_CHARACTERS = 4096;
const INTERVAL_MS = 1000;
/** A reader that is slow is given time; what it does not take then is not worth a process that does not end. */
const RETRY_MS = 20;
const LAST_RETRIES = 50;
/** What a reader that has stopped may cost. */
const MAXIMUM_CHARACTERS = 16 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);

export class LogOutput {
  readonly #descriptor: number;
  #lines: string[] = [];
  #characters = 0;
  #isWriting = false;
  /** What the reader had no room for: it is tried again. */
  #refused: Buffer | null = null;
  #isTimerSet = false;
  #isReaderGone = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Called by pino with one line. */
  write(line: string): void {
    if (this.#isReaderGone || this.#characters > MAXIMUM_CHARACTERS) return;
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters >= GATHERED_CHARACTERS) this.#writeGathered();
    else if (!this.#isTimerSet) this.#callLater(INTERVAL_MS, () => this.#writeGathered());
  }

  /** Writes what is left, before the process ends. Never throws. */
  flush(): void {
    let rest = Buffer.concat([this.#refused ?? EMPTY, this.#takeGathered()]);
    if (this.#refused !== null) this.#isWriting = false;
    this.#refused = null;
    for (let retries = 0; rest.length > 0 && retries < LAST_RETRIES && !this.#isReaderGone; ) {
      try {
        rest = rest.subarray(writeSync(this.#descriptor, rest));
      } catch (error) {
        retries++;
        if (isBusy(error)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
        else this.#isReaderGone = true;
      }
    }
  }

  #writeGathered(): void {
    if (this.#isWriting || this.#lines.length === 0) return;
    this.#isWriting = true;
    this.#writeChunk(this.#takeGathered());
  }

  #writeChunk(chunk: Buffer): void {
    write(this.#descriptor, chunk, (error, written) => {
      if (error === null) this.#onWritten(chunk.subarray(written));
      else if (isBusy(error)) {
        this.#refused = chunk;
        this.#callLater(RETRY_MS, () => this.#retry());
      } else this.#isReaderGone = true;
    });
  }

  #retry(): void {
    const chunk = this.#refused;
    this.#refused = null;
    if (chunk === null) this.#writeGathered();
    else this.#writeChunk(chunk);
  }

  #onWritten(rest: Buffer): void {
    if (rest.length > 0) {
      this.#writeChunk(rest);
      return;
    }
    this.#isWriting = false;
    if (this.#characters >= GATHERED_CHARACTERS) this.#writeGathered();
    else if (this.#lines.length > 0 && !this.#isTimerSet) this.#callLater(INTERVAL_MS, () => this.#writeGathered());
  }

  #takeGathered(): Buffer {
    const gathered = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#characters = 0;
    return gathered;
  }

  /** The log keeps no process alive. */
  #callLater(delayMs: number, call: () => void): void {
    this.#isTimerSet = true;
    setTimeout(() => {
      this.#isTimerSet = false;
      call();
    }, delayMs).unref();
  }
}

/** A pipe that is full for the moment. */
function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY';
}
