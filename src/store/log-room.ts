/**
 * Makes room in LevelDB's write-ahead log: writes zeros behind what LevelDB has written and syncs them, so that LevelDB,
 * which knows nothing of it, overwrites blocks that the file has already, and its fdatasync need not write the inode.
 *
 *   000007.log   records │ room: zeros, synced │ zeros being written
 *                        ▲ position            ▲ end
 *
 * Zeros are only ever written where no record can be: LevelDB's position is known to the byte, because every batch passes
 * by here before it is handed over, and one that would reach a write under way waits for it. Nothing acknowledged depends
 * on the room; when it cannot be made, commits are as slow as without. See docs/decisions/0031.
 */
import { fstatSync, statSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { logBytesAfter, sortedLogs } from './log-format.js';

const KIB = 1024;
/** A log with less in it gets no room: most small brokers never come to that. */
const WORTHWHILE_BYTES = 64 * KIB;
/** Room is made in pieces as large as the log, up to this: each is a sync of its own. */
const MAXIMUM_PIECE_BYTES = 512 * KIB;
/** How much of small batches is written between two looks at the state of affairs. */
const LOOK_BYTES = 16 * KIB;
/** LevelDB begins a new log after about 4 MiB, less if records are tiny. Before this much nobody looks for a new one. */
const SWITCH_BYTES = 1024 * KIB;
/** Where LevelDB is at the end of its room, new room begins so far ahead of it. */
const AHEAD_BYTES = 32 * KIB;
/** From this size on it is the data that takes the time: room is neither made for such batches nor because of them. */
const LARGE_BATCH_BYTES = 16 * KIB;
const ALIGNMENT_BYTES = 4 * KIB;

const ZEROS = Buffer.alloc(MAXIMUM_PIECE_BYTES);

interface OpenLog {
  readonly name: string;
  readonly file: FileHandle;
}

export class LogRoom {
  readonly #location: string;
  readonly #mayTakeSpace: () => boolean;
  #log: OpenLog | null = null;
  /** Opened, and not measured yet: that takes a moment at which nothing is being written. */
  #found: OpenLog | null = null;
  /** The last log that was opened. It may have been given up, and is not opened a second time. */
  #name = '';
  #directoryChangedMs = Number.NaN;
  /** Where LevelDB will be when it has written all that was handed to it. */
  #position = 0;
  /** Where the zeros end, if LevelDB has not gone beyond. */
  #end = 0;
  #bytesSinceLook = 0;
  /** A search, a write of zeros or a closing: one at a time. Never rejects. */
  #work: Promise<void> | null = null;
  /** Where zeros are being written. */
  #writtenFrom = Number.POSITIVE_INFINITY;

  /**
   * @param location of the database
   * @param mayTakeSpace asked before each piece
   */
  constructor(location: string, mayTakeSpace: () => boolean) {
    this.#location = location;
    this.#mayTakeSpace = mayTakeSpace;
  }

  /**
   * A batch is about to be handed to LevelDB, which has written all earlier ones.
   * @param batchBytes its bytes, see log-format.ts
   * @returns null, or what the batch has to wait for; it never rejects
   */
  onWrite(batchBytes: number, isSynced: boolean): Promise<void> | null {
    if (this.#found !== null) this.#measure(this.#found);
    const position = this.#position;
    this.#position = logBytesAfter(position, batchBytes);
    if (this.#position > this.#writtenFrom) return this.#work;
    if (!isSynced || batchBytes >= LARGE_BATCH_BYTES) return null;
    this.#bytesSinceLook += batchBytes;
    if (this.#bytesSinceLook >= LOOK_BYTES && this.#work === null) this.#look(position);
    return null;
  }

  /** Lets go of the log, before the database is closed: nothing is written to it any more when this has resolved. */
  async release(): Promise<void> {
    while (this.#work !== null) await this.#work;
    const logs = [this.#log, this.#found];
    this.#log = null;
    this.#found = null;
    this.#name = '';
    this.#directoryChangedMs = Number.NaN;
    for (const log of logs) await log?.file.close().catch(() => {});
  }

  /** LevelDB writes nothing now and has never been told of room in this log: it is where the file ends. */
  #measure(found: OpenLog): void {
    this.#found = null;
    try {
      this.#position = fstatSync(found.file.fd).size;
      this.#end = this.#position;
      this.#bytesSinceLook = 0;
      this.#log = found;
    } catch {
      this.#work = this.#done(found.file.close());
    }
  }

  /** @param position where LevelDB is now */
  #look(position: number): void {
    this.#bytesSinceLook = 0;
    if (this.#mustSearch()) {
      this.#work = this.#done(this.#search());
      return;
    }
    const log = this.#log;
    const piece = Math.min(alignUp(position), MAXIMUM_PIECE_BYTES);
    if (log === null || position < WORTHWHILE_BYTES || this.#end - this.#position >= piece / 2) return;
    if (!this.#mayTakeSpace()) return;
    if (this.#isWrittenByLevel(log, position)) {
      const start = Math.max(this.#end, alignUp(this.#position + AHEAD_BYTES));
      this.#writtenFrom = start;
      this.#work = this.#done(this.#extend(log, start, piece));
    } else {
      this.#log = null;
      this.#directoryChangedMs = Number.NaN;
      this.#work = this.#done(log.file.close());
    }
  }

  /** The time of the directory tells cheaply that LevelDB has made a file, be it a log or not. */
  #mustSearch(): boolean {
    if (this.#log !== null && this.#position < SWITCH_BYTES) return false;
    try {
      const { mtimeMs } = statSync(this.#location);
      if (mtimeMs === this.#directoryChangedMs) return false;
      this.#directoryChangedMs = mtimeMs;
      return true;
    } catch {
      return false;
    }
  }

  /** Finds out which log is the newest, and opens it if it is another than before. */
  async #search(): Promise<void> {
    const name = sortedLogs(await readdir(this.#location)).at(-1);
    if (name === undefined || name === this.#name) return;
    this.#name = name;
    const old = this.#log;
    this.#log = null;
    await old?.file.close();
    const file = await open(join(this.#location, name), 'r+');
    this.#found = { name, file };
  }

  /**
   * Whether the log has grown by what LevelDB was told to write since it was found, to the byte. If not, LevelDB has
   * begun another meanwhile, or it was none of its own.
   */
  #isWrittenByLevel(log: OpenLog, position: number): boolean {
    try {
      return fstatSync(log.file.fd).size === Math.max(position, this.#end);
    } catch {
      return false;
    }
  }

  /** What goes wrong here, the end of the disk above all, goes wrong for this log only; the next one is tried anew. */
  async #extend(log: OpenLog, start: number, bytes: number): Promise<void> {
    try {
      const { bytesWritten } = await log.file.write(ZEROS, 0, bytes, start);
      await log.file.datasync();
      this.#end = start + bytesWritten;
    } catch {
      this.#log = null;
      await log.file.close();
    }
  }

  async #done(work: Promise<void>): Promise<void> {
    await work.catch(() => {});
    this.#work = null;
    this.#writtenFrom = Number.POSITIVE_INFINITY;
  }
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
