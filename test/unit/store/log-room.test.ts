import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logBytesAfter, sortedLogs } from '../../../src/store/log-format.js';
import { LogRoom } from '../../../src/store/log-room.js';
import { RandomSource } from '../../durability/support/random-source.js';
import { copyAsAfterCrash } from '../../support/crash-copy.js';
import { FaultyLevel } from '../../support/faulty-level.js';
import { ManualClock } from '../../support/manual-clock.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

const KIB = 1024;
const isLinux = process.platform === 'linux';

/** LevelDB's part: writes as many bytes as a batch takes, none of them zero, where it has stopped before. */
class Writer {
  readonly room: LogRoom;
  readonly directory: string;
  isSpaceLeft = true;
  position = 0;
  path = '';
  #descriptor = -1;

  constructor(directory: string) {
    this.directory = directory;
    this.room = new LogRoom(directory, () => this.isSpaceLeft);
    onTestFinished(async () => {
      await this.room.release();
      if (this.#descriptor !== -1) closeSync(this.#descriptor);
    });
  }

  begin(name: string): void {
    if (this.#descriptor !== -1) closeSync(this.#descriptor);
    this.path = join(this.directory, name);
    this.#descriptor = openSync(this.path, 'w');
    this.position = 0;
  }

  async write(batchBytes: number, isSynced = true): Promise<void> {
    await this.room.onWrite(batchBytes, isSynced);
    const end = logBytesAfter(this.position, batchBytes);
    const bytes = Buffer.alloc(end - this.position, 0xff);
    expect(writeSync(this.#descriptor, bytes, 0, bytes.length, this.position)).toBe(bytes.length);
    this.position = end;
  }

  /** What goes on beside the writes takes its time. */
  async writeUntil(condition: () => boolean, batchBytes = 3000): Promise<void> {
    while (!condition()) {
      await this.write(batchBytes);
      await nextTurn();
      if (this.position > 64_000 * KIB) expect.fail('it has never come to that');
    }
  }

  get size(): number {
    return fstatSync(this.#descriptor).size;
  }

  get hasRoom(): boolean {
    return this.size > this.position;
  }

  /** Nothing that was written has been overwritten. */
  check(): void {
    const bytes = readFileSync(this.path);
    expect(bytes.subarray(0, this.position).indexOf(0)).toBe(-1);
    expect(bytes.subarray(this.position).every((byte) => byte === 0)).toBe(true);
  }
}

async function createWriter(): Promise<Writer> {
  const writer = new Writer(await createTemporaryDirectory());
  writer.begin('000003.log');
  return writer;
}

/** Descriptors of this process for files below the directory. */
function descriptorsIn(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(directory) && target.includes('.log') ? [target] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(!isLinux)('room in a log', () => {
  it('is there from 64 KiB on, and never more of it than there is log', async () => {
    const writer = await createWriter();
    await writer.writeUntil(() => writer.hasRoom);
    expect(writer.position).toBeGreaterThan(64 * KIB);
    expect(writer.position).toBeLessThan(400 * KIB);
    expect(writer.size - writer.position).toBeLessThanOrEqual(writer.position + 40 * KIB);
    let writesWithout = 0;
    for (let i = 0; i < 600; i++) {
      await writer.write(3000);
      await nextTurn();
      await nextTurn();
      if (!writer.hasRoom) writesWithout++;
      expect(writer.size - writer.position).toBeLessThan(800 * KIB);
    }
    expect(writesWithout).toBeLessThan(300);
    await writer.room.release();
    writer.check();
  });

  it('never overwrites a record, however large batches are and however they fall together with it', async () => {
    const random = new RandomSource(11);
    for (let round = 0; round < 20; round++) {
      const writer = await createWriter();
      for (let i = 0; i < 300; i++) {
        const isLarge = random.chance(0.02);
        await writer.write(isLarge ? random.integer(16_000, 900_000) : random.integer(12, 16_000), random.chance(0.9));
        if (random.chance(0.7)) await nextTurn();
      }
      await writer.room.release();
      writer.check();
    }
  });

  it('lets a batch wait that would reach what is being written', async () => {
    const writer = await createWriter();
    let waited = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = i % 12 === 11 ? 200_000 : 4000;
      const room = writer.room.onWrite(bytes, true);
      if (room !== null) waited++;
      await room;
      const end = logBytesAfter(writer.position, bytes);
      const descriptor = openSync(writer.path, 'r+');
      writeSync(descriptor, Buffer.alloc(end - writer.position, 0xff), 0, end - writer.position, writer.position);
      closeSync(descriptor);
      writer.position = end;
      if (i % 100 < 20) await nextTurn();
    }
    await writer.room.release();
    expect(waited).toBeGreaterThan(0);
    writer.check();
  });

  it('is not made for batches that nobody syncs, nor where space has run short', async () => {
    const writer = await createWriter();
    for (let i = 0; i < 100; i++) {
      await writer.write(3000, false);
      await nextTurn();
    }
    writer.isSpaceLeft = false;
    for (let i = 0; i < 100; i++) {
      await writer.write(3000);
      await nextTurn();
    }
    await writer.room.release();
    expect(writer.size).toBe(writer.position);
  });

  it('is not made for large batches', async () => {
    const writer = await createWriter();
    await writer.writeUntil(() => writer.position > 8000 * KIB, 17_000);
    await writer.room.release();
    expect(writer.size).toBe(writer.position);
  });

  it('is made in the next log too, and the old one is let go', async () => {
    const writer = await createWriter();
    await writer.writeUntil(() => writer.hasRoom && writer.position > 1100 * KIB);
    const old = writer.path;
    const oldBytes = await readFile(old);
    writer.begin('000005.log');
    await writer.writeUntil(() => writer.hasRoom);
    expect(descriptorsIn(writer.directory).filter((path) => path === old)).toEqual([]);
    expect((await readFile(old)).subarray(0, oldBytes.length).equals(oldBytes)).toBe(true);
    await writer.room.release();
    writer.check();
  });

  it('is not made in a log that does not grow by what is written', async () => {
    const directory = await createTemporaryDirectory();
    const foreign = join(directory, '000009.log');
    await writeFile(foreign, Buffer.alloc(100 * KIB, 1));
    const room = new LogRoom(directory, () => true);
    for (let i = 0; i < 200; i++) {
      await room.onWrite(3000, true);
      await nextTurn();
    }
    await room.release();
    expect((await stat(foreign)).size).toBe(100 * KIB);
    expect(descriptorsIn(directory)).toEqual([]);
  });

  it.each([
    ['there is no directory', async (_directory: string) => {}],
    ['there is no log', async (directory: string) => void (await mkdir(directory))],
    [
      'the log is a link to another place',
      async (directory: string) => {
        await mkdir(directory);
        await symlink('/dev/null', join(directory, '000003.log'));
      },
    ],
    [
      'the log is a directory',
      async (directory: string) => void (await mkdir(join(directory, '000003.log'), { recursive: true })),
    ],
  ])('is nobody’s trouble when %s', async (_, prepare) => {
    const directory = join(await createTemporaryDirectory(), 'store');
    await prepare(directory);
    const room = new LogRoom(directory, () => true);
    for (let i = 0; i < 100; i++) {
      await room.onWrite(3000, true);
      await nextTurn();
    }
    await room.release();
  });
});

async function openLevel(isSynced = true): Promise<{ level: FaultyLevel; location: string; clock: ManualClock }> {
  const location = join(await createTemporaryDirectory(), 'store');
  const clock = new ManualClock();
  const options = { clock, maximumPendingBytes: 1 << 20, minimumFreeBytes: 1000, isSynced };
  const level = new FaultyLevel(location, options);
  await level.open();
  onTestFinished(() => level.close().catch(() => {}));
  return { level, location, clock };
}

async function fill(level: FaultyLevel, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    level.putNow(`k${i}`, Buffer.alloc(3000, 1 + (i % 255)));
    await level.flush();
    await nextTurn();
  }
}

/** The bytes of the newest log behind the last one that is not zero. No value ends with one. */
function roomIn(location: string): number {
  const bytes = readFileSync(join(location, sortedLogs(readdirSync(location)).at(-1) as string));
  return bytes.length - 1 - bytes.findLastIndex((byte) => byte !== 0);
}

describe.skipIf(!isLinux)('a database whose log has room', () => {
  it('is read as a crash leaves it, with everything that was written, over many logs', async () => {
    const { level, location } = await openLevel();
    const COUNT = 4000;
    let withRoom = 0;
    for (let i = 0; i < COUNT; i += 100) {
      await fill(level, i, i + 100);
      if (roomIn(location) > 4 * KIB) withRoom++;
    }
    expect(withRoom).toBeGreaterThan(20);
    const copy = join(await createTemporaryDirectory(), 'copy');
    await copyAsAfterCrash(location, copy);
    const copied = new FaultyLevel(copy, { clock: new ManualClock(), maximumPendingBytes: 1, minimumFreeBytes: 0 });
    await copied.open();
    expect(await readFile(join(copy, 'LOG'), 'utf8')).not.toContain('dropping');
    expect((await copied.keys().all()).length).toBe(COUNT);
    await copied.close();
    await level.close();
    expect(descriptorsIn(location)).toEqual([]);
  });

  it('goes on after writes have failed, in the log that LevelDB begins then', async () => {
    const { level, location } = await openLevel();
    await fill(level, 0, 200);
    const [before] = sortedLogs(readdirSync(location));
    expect(roomIn(location)).toBeGreaterThan(0);
    level.failures = 1;
    await fill(level, 200, 201);
    expect(sortedLogs(readdirSync(location))).not.toContain(before);
    await fill(level, 201, 400);
    expect(roomIn(location)).toBeGreaterThan(0);
    expect((await level.keys().all()).length).toBe(400);
  });

  it.each([
    ['space is short', true, 100],
    ['nothing is synced', false, Number.MAX_SAFE_INTEGER],
  ])('has none when %s', async (_, isSynced, freeBytes) => {
    const { level, location, clock } = await openLevel(isSynced);
    level.freeBytes = freeBytes;
    clock.advance(1000);
    await nextTurn();
    await fill(level, 0, 200);
    expect(level.health.state).toBe(freeBytes === 100 ? 'full' : 'ok');
    expect(roomIn(location)).toBe(0);
  });
});
