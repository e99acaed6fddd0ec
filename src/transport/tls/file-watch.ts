/**
 * Tells when files may have changed. Directories are watched, not files, because files are replaced: by renaming (certbot), or by
 * turning a symbolic link on the way to them (Kubernetes: `tls.crt -> ..data/tls.crt`, `..data -> ..2026_11_21`).
 *
 *   a file's directories: that of each link on the way to it, and that of the file at the end
 */
import { type FSWatcher, lstatSync, readlinkSync, watch } from 'node:fs';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';
import type { CancelTimer, Clock } from '../../core/clock.js';

/** A pair of files is written one after the other: with the first change, the second is mostly on its way. */
const SETTLING_MS = 500;

/** For file systems of which nothing is heard, and for when the system has no watch left to give. */
const RECHECK_MS = 60_000;

/** As many links as Linux follows. */
const MOST_LINKS = 40;

export class FileWatch {
  readonly #files: readonly string[];
  readonly #clock: Clock;
  readonly #onMaybeChanged: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #cancelSettling: CancelTimer | null = null;
  #cancelRecheck: CancelTimer | null = null;
  #isClosed = false;

  /** @param onMaybeChanged called some time after a change, and now and then without one */
  constructor(files: readonly string[], clock: Clock, onMaybeChanged: () => void) {
    this.#files = files.map((file) => resolve(file));
    this.#clock = clock;
    this.#onMaybeChanged = onMaybeChanged;
    this.#follow();
    this.#armRecheck();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSettling?.();
    this.#cancelRecheck?.();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #onEvent(): void {
    if (this.#isClosed) return;
    // Not put off by further events: a directory may be written to all the time.
    this.#cancelSettling ??= this.#clock.schedule(SETTLING_MS, () => {
      this.#cancelSettling = null;
      this.#check();
    });
  }

  #armRecheck(): void {
    this.#cancelRecheck = this.#clock.schedule(RECHECK_MS, () => {
      this.#armRecheck();
      this.#check();
    });
  }

  #check(): void {
    this.#follow();
    this.#onMaybeChanged();
  }

  /** Watches what is on the way to the files now, and nothing else. */
  #follow(): void {
    const wanted = new Set(this.#files.flatMap(directoriesOnTheWay));
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      this.#watchers.delete(directory);
      watcher.close();
    }
    for (const directory of wanted) {
      if (!this.#watchers.has(directory)) this.#watch(directory);
    }
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        // A directory that is gone itself is told by its own name: what takes its place is another one.
        if (name === null || !isThere(directory)) this.#forget(directory, watcher);
        this.#onEvent();
      });
      watcher.on('error', () => this.#forget(directory, watcher));
      this.#watchers.set(directory, watcher);
    } catch {
      // It is not there, or there are no watches left: the recheck finds what changes.
    }
  }

  #forget(directory: string, watcher: FSWatcher): void {
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
    watcher.close();
  }
}

/** @param file absolute */
export function directoriesOnTheWay(file: string): string[] {
  const found = new Set<string>();
  let { root: here } = parse(file);
  let rest = file.slice(here.length).split(sep);
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...after] = rest;
    rest = after;
    const path = name === '..' ? dirname(here) : join(here, name);
    const target = name === '' || name === '.' || name === '..' ? undefined : linkTarget(path);
    if (target === undefined) {
      if (rest.length === 0) found.add(here);
      here = path;
      continue;
    }
    found.add(here);
    if (++links > MOST_LINKS) break;
    rest = [...target.split(sep), ...rest];
    if (isAbsolute(target)) here = parse(target).root;
  }
  return [...found];
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
