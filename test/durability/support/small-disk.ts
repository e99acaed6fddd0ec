/** A file system that fills up quickly: a tmpfs of a few megabytes, with a ballast that can be thrown out to make room. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from './temporary-directory.js';

export class SmallDisk {
  readonly #folder = new TemporaryDirectory('disk');
  readonly #mountPoint: string;

  constructor(megabytes: number, ballastMegabytes: number) {
    this.#mountPoint = join(this.#folder.path, 'mounted');
    mkdirSync(this.#mountPoint);
    const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'millrace-test', this.#mountPoint];
    const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' });
    if (status !== 0) {
      this.#folder[Symbol.dispose]();
      throw new Error(`a tmpfs cannot be mounted here: ${stderr?.trim()}`);
    }
    writeFileSync(this.#ballast, Buffer.alloc(ballastMegabytes * 1024 * 1024));
    mkdirSync(this.directory);
  }

  /** For the broker's data. */
  get directory(): string {
    return join(this.#mountPoint, 'data');
  }

  makeRoom(): void {
    rmSync(this.#ballast, { force: true });
  }

  get #ballast(): string {
    return join(this.#mountPoint, 'ballast');
  }

  [Symbol.dispose](): void {
    const { status } = spawnSync('umount', [this.#mountPoint]);
    // Somebody may still be in there; it goes when they do.
    if (status !== 0) spawnSync('umount', ['--lazy', this.#mountPoint]);
    this.#folder[Symbol.dispose]();
  }
}

/** Why there can be none on this machine; undefined if there can. */
export const SMALL_DISK_OBSTACLE: string | undefined = findObstacle();

function findObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'it needs to be root, on Linux, to mount a tmpfs';
  try {
    new SmallDisk(1, 0)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
