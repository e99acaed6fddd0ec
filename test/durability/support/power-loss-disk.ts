/**
 * What a disk holds after a loss of power: reads the journal of power-loss-shim.c and builds a directory out of what had
 * been forced to the disk, and of as much of the rest as an adversary likes to let survive.
 *
 * What is durable, by the letter of POSIX and by what Linux file systems do beyond it:
 *
 *  - Bytes of a file: those that it had when an fsync or fdatasync of it began that has returned. Nothing else.
 *  - A name (after create, rename, link, unlink): when the directory has been fsynced since. That is all that POSIX
 *    gives: NameRule 'with the directory'. On ext4, XFS, btrfs and F2FS, an fsync of a file that has no durable name yet
 *    makes its present name durable too, with the directories above it; LevelDB builds on this when it goes on to its
 *    next log. Hence the usual NameRule, 'with the file'. Nothing but the name of that very file comes along: ext4 and
 *    XFS would write every change of names that went before it, btrfs does not.
 *  - Changes of names that are not durable may have reached the disk all the same, for nobody keeps the system from
 *    writing early. They do so in their order: all of the named file systems keep to it, and a removal that overtook
 *    an earlier rename would be the work of a broken one. So what survives of them is a first part: none, some or all.
 *  - Bytes that were not synced may have reached the disk all the same, page by page: nothing of them, a first part, or
 *    pages with holes of zeros between them. Only behind what is durable: whatever is watched here writes at the end, or
 *    over zeros there, which are what a page holds then that has not reached the disk.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RandomSource } from './random-source.js';

export type NameRule = 'with the file' | 'with the directory';

export interface Adversary {
  /** How many of the changes of names survive that were not durable. */
  readonly names: 'none' | 'some' | 'all';
  /** What survives of bytes that were not durable. */
  readonly tails: 'nothing' | 'a first part' | 'pages';
  readonly random: RandomSource;
}

export interface PowerCut {
  /** Bytes that the process had written and that are gone. */
  readonly lostBytes: number;
  /** Changes of names that are undone. */
  readonly lostNames: number;
  /** Zeros that had been synced behind what was written: room for more. */
  readonly roomBytes: number;
}

/** A file by its number in the journal. */
type Entry = number | 'directory';

type Operation =
  | { readonly kind: 'create'; readonly path: string; readonly id: number }
  | { readonly kind: 'mkdir' | 'rmdir' | 'unlink'; readonly path: string }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly path: string };

/** What of a file is durable. */
interface Synced {
  readonly version: number;
  /** Without the zeros at its end. */
  readonly bytes: number;
  readonly size: number;
}

const PAGE_BYTES = 4096;

export class PowerLossDisk {
  readonly #rule: NameRule;
  readonly #live = new Map<string, Entry>();
  readonly #durable = new Map<string, Entry>();
  #pending: { readonly line: number; readonly operation: Operation }[] = [];
  readonly #synced = new Map<number, Synced>();
  /** Truncated since its last sync: the file may differ from what was synced. */
  readonly #truncated = new Set<number>();

  /** @throws if the process did something that the layer does not model */
  constructor(journal: string, rule: NameRule) {
    this.#rule = rule;
    const lines = journal.split('\n');
    // The last line is empty, or was being written when the process died.
    for (const [index, line] of lines.slice(0, -1).entries()) this.#take(index, line.split('\t'));
  }

  /** Paths that would be there if nothing survived that is not durable. */
  get durablePaths(): string[] {
    return [...this.#durable.keys()].sort();
  }

  /** Changes of names that are not durable. */
  get pendingNames(): number {
    return this.#pending.length;
  }

  /**
   * Puts the directory into the state of the disk. The process must be dead.
   * @param directory the watched one; its files tell which bytes had been written and not synced
   * @param contents the folder of that name that the shim has filled
   */
  restore(directory: string, contents: string, adversary: Adversary): PowerCut {
    const survivors = this.#survivingNames(adversary);
    const tree = new Map(this.#durable);
    for (const { operation } of this.#pending.slice(0, survivors)) apply(tree, operation);
    const livePaths = new Map([...this.#live].map(([path, entry]) => [entry, path]));
    let lostBytes = 0;
    let roomBytes = 0;
    const files = new Map<string, Buffer>();
    for (const [path, id] of tree) {
      if (id === 'directory' || !hasParents(tree, path)) continue;
      const synced = this.#syncedBytes(id, contents);
      const livePath = livePaths.get(id);
      const live = livePath === undefined ? synced : writtenBytes(join(directory, livePath), synced);
      const tail = this.#tailOf(id, path, synced, live);
      const survived = survivingTail(tail, adversary, synced.length);
      lostBytes += tail.length - survived.length;
      const { bytes, size: syncedSize } = this.#synced.get(id) ?? { bytes: 0, size: 0 };
      roomBytes += syncedSize - bytes;
      const size = survivingSize(syncedSize, live.length, adversary);
      const zeros = Buffer.alloc(Math.max(0, size - synced.length - survived.length));
      files.set(path, Buffer.concat([synced, survived, zeros]));
    }
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
    for (const [path, entry] of tree) if (entry === 'directory') mkdirSync(join(directory, path), { recursive: true });
    for (const [path, bytes] of files) writeFileSync(join(directory, path), bytes);
    return { lostBytes, lostNames: this.#pending.length - survivors, roomBytes };
  }

  #take(line: number, [kind = '', ...fields]: string[]): void {
    const [first = '', second = '', third = '', fourth = third] = fields;
    switch (kind) {
      case 'exists':
        this.#live.set(second, Number(first));
        this.#durable.set(second, Number(first));
        break;
      case 'directory':
        this.#live.set(first, 'directory');
        this.#durable.set(first, 'directory');
        break;
      case 'ready':
        break;
      case 'create':
        this.#change(line, { kind, id: Number(first), path: second });
        break;
      case 'mkdir':
      case 'rmdir':
      case 'unlink':
        this.#change(line, { kind, path: first });
        break;
      case 'rename':
      case 'link':
        this.#change(line, { kind, from: first, path: second });
        break;
      case 'truncate':
        this.#truncated.add(Number(first));
        break;
      case 'sync':
        this.#sync(Number(first), { version: Number(second), bytes: Number(third), size: Number(fourth) });
        break;
      case 'syncdir':
        this.#syncDirectory(Number(first), second);
        break;
      default:
        throw new Error(`the power loss layer does not model this: ${kind} ${fields.join(' ')}`);
    }
  }

  #change(line: number, operation: Operation): void {
    apply(this.#live, operation);
    this.#pending.push({ line, operation });
  }

  #sync(id: number, synced: Synced): void {
    const { version, bytes, size } = synced;
    const known = this.#synced.get(id);
    // Two syncs at a time may be journalled in the other order; the longer one holds.
    const isOlder =
      known !== undefined &&
      (version < known.version || (version === known.version && (bytes < known.bytes || size < known.size)));
    if (!isOlder) this.#synced.set(id, synced);
    this.#truncated.delete(id);
    if (this.#rule === 'with the file') this.#bringName(id);
  }

  /** The file's first sync: its name becomes durable with it, and the directories above. */
  #bringName(id: number): void {
    if ([...this.#durable.values()].includes(id)) return;
    const path = [...this.#live].find(([, entry]) => entry === id)?.[0];
    if (path === undefined) return;
    if (this.#durable.has(path)) {
      // The name belonged to another file; that one must not be lost, so the change that took it away is written first.
      for (const { operation } of this.#pending) apply(this.#durable, operation);
      this.#pending = [];
      return;
    }
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) this.#durable.set(parent, 'directory');
    this.#durable.set(path, id);
    this.#pending = this.#pending.filter(({ operation }) => !hasMade(operation, id, path));
  }

  #syncDirectory(line: number, path: string): void {
    const isCovered = (change: { readonly line: number; readonly operation: Operation }): boolean =>
      change.line < line && parentOf(change.operation.path) === path;
    for (const change of this.#pending) if (isCovered(change)) apply(this.#durable, change.operation);
    this.#pending = this.#pending.filter((change) => !isCovered(change));
  }

  #survivingNames({ names, random }: Adversary): number {
    if (names === 'none') return 0;
    return names === 'all' ? this.#pending.length : random.integer(0, this.#pending.length);
  }

  #syncedBytes(id: number, contents: string): Buffer {
    const synced = this.#synced.get(id);
    if (synced === undefined || synced.bytes === 0) return Buffer.alloc(0);
    return readFileSync(join(contents, `${id}.${synced.version}`)).subarray(0, synced.bytes);
  }

  /** What was written behind the synced bytes. @throws if these have been overwritten, for that is not modelled */
  #tailOf(id: number, path: string, synced: Buffer, live: Buffer): Buffer {
    if (this.#truncated.has(id)) return Buffer.alloc(0);
    if (!live.subarray(0, synced.length).equals(synced)) {
      throw new Error(`the power loss layer does not model this: ${path} was overwritten in place`);
    }
    return withoutZeros(live.subarray(synced.length));
  }
}

/**
 * What a process had written. The file may be away from the path that the journal knows: the last change of a name is made
 * first and journalled then, and the process can die between. Then nothing survives of it that was not synced.
 */
function writtenBytes(path: string, synced: Buffer): Buffer {
  return existsSync(path) ? readFileSync(path) : synced;
}

function apply(tree: Map<string, Entry>, operation: Operation): void {
  const { kind, path } = operation;
  if (kind === 'create') tree.set(path, operation.id);
  if (kind === 'mkdir') tree.set(path, 'directory');
  if (kind === 'unlink' || kind === 'rmdir') tree.delete(path);
  if (kind === 'link') copyEntry(tree, operation.from, path);
  if (kind === 'rename') {
    for (const [old] of [...tree].filter(
      ([name]) => name === operation.from || name.startsWith(`${operation.from}/`),
    )) {
      copyEntry(tree, old, path + old.slice(operation.from.length));
      tree.delete(old);
    }
  }
}

function copyEntry(tree: Map<string, Entry>, from: string, to: string): void {
  const entry = tree.get(from);
  if (entry !== undefined) tree.set(to, entry);
}

/** Whether this change is what gave the file its name, and so has nothing more to do. */
function hasMade(operation: Operation, id: number, path: string): boolean {
  return operation.kind === 'create' ? operation.id === id : operation.kind === 'rename' && operation.path === path;
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === '.' ? '' : parent;
}

function hasParents(tree: ReadonlyMap<string, Entry>, path: string): boolean {
  const parent = parentOf(path);
  return parent === '' || (tree.get(parent) === 'directory' && hasParents(tree, parent));
}

function survivingTail(tail: Buffer, { tails, random }: Adversary, offset: number): Buffer {
  if (tails === 'nothing' || tail.length === 0) return Buffer.alloc(0);
  const kept = Buffer.from(tail.subarray(0, random.integer(0, tail.length)));
  if (tails === 'pages') {
    for (let page = Math.ceil(offset / PAGE_BYTES) * PAGE_BYTES - offset; page < kept.length; page += PAGE_BYTES) {
      if (random.chance(0.5)) kept.fill(0, page, Math.min(page + PAGE_BYTES, kept.length));
    }
  }
  return kept;
}

/** Where pages have not reached the disk, the size of the file may have. */
function survivingSize(synced: number, live: number, { tails, random }: Adversary): number {
  return tails !== 'pages' || live <= synced ? synced : random.integer(synced, live);
}

function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}
