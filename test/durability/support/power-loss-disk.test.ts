/** What a disk holds after a loss of power, by the journal of what was synced. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Adversary, type NameRule, PowerLossDisk } from './power-loss-disk.js';
import { RandomSource } from './random-source.js';
import { TemporaryDirectory } from './temporary-directory.js';

const WORST: Adversary = { names: 'none', tails: 'nothing', random: new RandomSource(1) };

function disk(rule: NameRule, ...lines: string[]): PowerLossDisk {
  return new PowerLossDisk(lines.map((line) => `${line.replaceAll(' ', '\t')}\n`).join(''), rule);
}

describe('names', () => {
  const made = ['ready', 'create 1 a', 'sync 1 0 5'];

  it('become durable with the first sync of their file, or only with their directory', () => {
    expect(disk('with the file', ...made).durablePaths).toEqual(['a']);
    expect(disk('with the directory', ...made).durablePaths).toEqual([]);
    expect(disk('with the directory', ...made, 'syncdir 3 ').durablePaths).toEqual(['a']);
  });

  it('do not become durable for a file that was not synced, unless with their directory', () => {
    expect(disk('with the file', ...made, 'create 2 b').durablePaths).toEqual(['a']);
    expect(disk('with the file', ...made, 'create 2 b', 'syncdir 4 ').durablePaths).toEqual(['a', 'b']);
  });

  it('are covered by a sync of the directory only as they were when it began', () => {
    expect(disk('with the file', 'ready', 'create 1 a', 'create 2 b', 'syncdir 2 ').durablePaths).toEqual(['a']);
  });

  it('keep their old file while a rename is not durable', () => {
    const renamed = [...made, 'create 2 b', 'sync 2 0 1', 'rename b a'];
    const { durablePaths, pendingNames } = disk('with the file', ...renamed);
    expect([durablePaths, pendingNames]).toEqual([['a', 'b'], 1]);
    expect(disk('with the file', ...renamed, 'syncdir 6 ').durablePaths).toEqual(['a']);
  });

  it('are not taken from a file that would be lost by it', () => {
    const lines = [...made, 'rename a b', 'create 2 a', 'sync 2 0 1'];
    expect(disk('with the file', ...lines).durablePaths).toEqual(['a', 'b']);
  });

  it('come with a sync after the rename, and with the directories above them', () => {
    const lines = ['ready', 'mkdir d', 'create 1 d/a', 'rename d/a d/b', 'sync 1 0 1'];
    expect(disk('with the file', ...lines).durablePaths).toEqual(['d', 'd/b']);
    expect(disk('with the directory', ...lines, 'syncdir 5 d').durablePaths).toEqual(['d/b']);
  });

  it('stay while their removal is not durable', () => {
    const lines = ['exists 1 a', 'exists 2 b', 'ready', 'unlink a'];
    expect(disk('with the file', ...lines).durablePaths).toEqual(['a', 'b']);
    expect(disk('with the file', ...lines, 'syncdir 4 ').durablePaths).toEqual(['b']);
  });
});

describe('a restored directory', () => {
  function restore(lines: string[], live: Record<string, string>, contents: Record<string, string>, adversary = WORST) {
    using folder = new TemporaryDirectory('disk');
    const [data, copies] = [join(folder.path, 'data'), join(folder.path, 'contents')];
    for (const path of [data, copies]) mkdirSync(path);
    for (const [name, bytes] of Object.entries(live)) writeFileSync(join(data, name), bytes);
    for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(copies, name), bytes);
    const cut = disk('with the file', ...lines).restore(data, copies, adversary);
    const files = readdirSync(data).map((name) => [name, readFileSync(join(data, name), 'utf8')]);
    return { cut, files: Object.fromEntries(files) as Record<string, string> };
  }

  it('has the bytes of the last sync, and no file that was never synced', () => {
    const lines = ['ready', 'create 1 a', 'sync 1 0 2', 'sync 1 0 4', 'create 2 b'];
    const { cut, files } = restore(lines, { a: 'abcdef', b: 'x' }, { '1.0': 'abcd' });
    expect(files).toEqual({ a: 'abcd' });
    expect(cut).toEqual({ lostBytes: 2, lostNames: 1, roomBytes: 0 });
  });

  it('has removed files again, and the old bytes of truncated ones', () => {
    const lines = ['exists 1 a', 'sync 1 0 3', 'exists 2 b', 'sync 2 0 3', 'ready', 'unlink a', 'truncate 2'];
    expect(restore(lines, { b: 'n' }, { '1.0': 'old', '2.0': 'old' }).files).toEqual({ a: 'old', b: 'old' });
  });

  it('has a file again that was removed or renamed when the process died before it could journal that', () => {
    const lines = ['exists 1 a', 'sync 1 0 3', 'exists 2 b', 'sync 2 0 3', 'ready'];
    const adversary: Adversary = { names: 'all', tails: 'pages', random: new RandomSource(1) };
    const { files } = restore(lines, { c: 'old tail', b: 'old' }, { '1.0': 'old', '2.0': 'old' }, adversary);
    expect(files).toEqual({ a: 'old', b: 'old' });
  });

  it('may have kept all names, with nothing in the files', () => {
    const lines = ['exists 1 a', 'sync 1 0 3', 'ready', 'create 2 b', 'rename b a'];
    expect(restore(lines, { a: 'new' }, { '1.0': 'old' }, { ...WORST, names: 'all' }).files).toEqual({ a: '' });
  });

  it('may have kept a part of what was not synced, in order or with zeros between', () => {
    const written = 'x'.repeat(40_000);
    const lines = ['ready', 'create 1 a', 'sync 1 0 100'];
    const content = { '1.0': written.slice(0, 100) };
    for (let seed = 0; seed < 20; seed++) {
      const random = new RandomSource(seed);
      const first = restore(lines, { a: written }, content, { names: 'none', tails: 'a first part', random }).files[
        'a'
      ];
      expect(written.startsWith(first ?? '-')).toBe(true);
      expect(first?.length).toBeGreaterThanOrEqual(100);
      const pages = restore(lines, { a: written }, content, { names: 'none', tails: 'pages', random }).files['a'] ?? '';
      // Zeros at the very end are what the size has and no page.
      expect(pages.replace(/\0+$/, '').slice(0, 4096).replaceAll('x', '')).toBe('');
      expect(pages.replaceAll('x', '').replaceAll('\0', '')).toBe('');
    }
  });

  it('has the zeros that were synced, with what of later bytes over them has reached the disk', () => {
    const lines = ['ready', 'create 1 a', 'sync 1 0 3 8'];
    const written = { a: 'abcde\0\0\0\0\0' };
    expect(restore(lines, written, { '1.0': 'abc' }).files['a']).toBe('abc\0\0\0\0\0');
    const found = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const random = new RandomSource(seed);
      found.add(restore(lines, written, { '1.0': 'abc' }, { names: 'none', tails: 'pages', random }).files['a'] ?? '');
    }
    const ends = ['', 'd', 'de'].map((part) => `abc${part}`);
    const expected = ends.flatMap((end) => [8, 9, 10].map((size) => end.padEnd(size, '\0')));
    expect([...found].sort()).toEqual(expected.sort());
  });

  it('is refused when bytes were overwritten in place, or anything else was done that is not modelled', () => {
    const lines = ['ready', 'create 1 a', 'sync 1 0 3'];
    expect(() => restore(lines, { a: 'xbc' }, { '1.0': 'abc' })).toThrow('overwritten in place');
    expect(() => disk('with the file', 'unsupported O_SYNC a')).toThrow('does not model this');
  });
});
