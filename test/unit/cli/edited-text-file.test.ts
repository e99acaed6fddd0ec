/** A file that is replaced as a whole. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { FileNotWritten, FileUnusable } from '../../../src/auth/administration/administration-errors.js';
import { EditedTextFile } from '../../../src/cli/edited-text-file.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
  path = join(directory, 'file');
  writeFileSync(path, 'old');
});

describe('a file', () => {
  it('does not say what it did if another took its place while that was read', () => {
    const file = new EditedTextFile(path, 100);
    expect(file.says('old')).toBe(true);
    expect(file.says('new')).toBe(false);
    const other = join(directory, 'other');
    class ReplacedWhileRead extends EditedTextFile {
      override read(): string {
        const text = super.read();
        writeFileSync(other, 'by hand');
        renameSync(other, path);
        return text;
      }
    }
    expect(new ReplacedWhileRead(path, 100).says('old')).toBe(false);
  });

  it('is the old one until the draft takes its place, and then the new one: never a part', async () => {
    const draft = await new EditedTextFile(path, 100).prepare('new');
    expect(readFileSync(path, 'utf8')).toBe('old');
    const [name = ''] = readdirSync(directory).filter((each) => each !== 'file');
    // What a process that is killed here leaves behind is for the eyes that the file is for.
    expect(readFileSync(join(directory, name), 'utf8')).toBe('new');
    expect(statSync(join(directory, name)).mode).toBe(statSync(path).mode);
    draft.place();
    expect(readFileSync(path, 'utf8')).toBe('new');
    await draft.sync();
    draft.discard();
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('whose draft is given up is as it was, with nothing beside it', async () => {
    const draft = await new EditedTextFile(path, 100).prepare('new');
    draft.discard();
    draft.discard();
    expect(readdirSync(directory)).toEqual(['file']);
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  it('keeps its mode, and the link that leads to it', async () => {
    chmodSync(path, 0o640);
    const link = join(directory, 'link');
    symlinkSync('file', link);
    const draft = await new EditedTextFile(link, 100).prepare('new');
    draft.place();
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it('that cannot be replaced stays, with nothing beside it', async () => {
    const draft = await new EditedTextFile(path, 100).prepare('new');
    rmSync(path);
    mkdirSync(join(path, 'full'), { recursive: true });
    expect(() => draft.place()).toThrow(FileNotWritten);
    draft.discard();
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('that could not be read again is not written', async () => {
    const file = new EditedTextFile(path, 100);
    await expect(file.prepare('x'.repeat(101))).rejects.toThrow(`${path} would be larger than 100B`);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('that is not there is unusable, or empty where it may be made', async () => {
    rmSync(path);
    expect(() => new EditedTextFile(path, 100).read()).toThrow(FileUnusable);
    const made = new EditedTextFile(path, 100, true);
    expect(made.read()).toBe('');
    (await made.prepare('new')).place();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, Buffer.from([0xff, 0xfe]));
    expect(() => made.read()).toThrow(`${path}: is not UTF-8 text`);
  });

  it('has drafts of processes that were killed removed with the next change, and nothing else', async () => {
    const longAgo = new Date(Date.now() - 61_000);
    const justNow = new Date(Date.now() - 5000);
    const place = (name: string, date: Date): void => {
      writeFileSync(join(directory, name), 'old');
      utimesSync(join(directory, name), date, date);
    };
    const others = ['.file.202611221200', '.file.0123456789ab.draft.bak', '.other.0123456789ab.draft', 'file.1'];
    for (const name of others) place(name, longAgo);
    place('.file.0123456789ab.draft', longAgo);
    place('.file.ffffffffffff.draft', justNow);
    (await new EditedTextFile(path, 100).prepare('new')).place();
    expect(readdirSync(directory).sort()).toEqual([...others, '.file.ffffffffffff.draft', 'file'].sort());
  });

  it('that is a pipe is not waited for', () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    // Whoever waits for it all the same is let go.
    const writer = spawn('sh', ['-c', 'sleep 2; : > "$0"', pipe], { detached: true });
    onTestFinished(() => void process.kill(-(writer.pid ?? 0), 'SIGKILL'));
    expect(() => new EditedTextFile(pipe, 100).read()).toThrow(`${pipe}: is a pipe, not a file`);
  });

  it('that is none, but a device, is not replaced by one', async () => {
    await expect(new EditedTextFile('/dev/null', 100).prepare('new')).rejects.toThrow(
      '/dev/null is not a regular file',
    );
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('that links lead around in a circle is unusable', () => {
    const link = join(directory, 'link');
    symlinkSync('link', link);
    expect(() => new EditedTextFile(link, 100).read()).toThrow(`${link}: is a link that leads back to itself`);
  });
});
