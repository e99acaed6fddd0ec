/** Changes of files that people edit by hand, too. */
import { describe, expect, it } from 'vitest';
import { FileNotWritten, TooManyChanges } from '../../../../src/auth/administration/administration-errors.js';
import { FileChanges, type FileEdit } from '../../../../src/auth/administration/file-changes.js';
import { TextInMemory } from '../../../support/text-in-memory.js';

function appending(file: TextInMemory, word: string, inForce: string[] = []): FileEdit {
  return {
    file,
    edit: (text) => ({ text: `${text}${word}\n`, takeEffect: () => inForce.push(`${file.path} ${word}`) }),
  };
}

describe('a change', () => {
  it('is on the disk before it takes the place of the file, and in force at once then', async () => {
    const file = new TextInMemory('f', 'one\n');
    const inForce: string[] = [];
    expect(await new FileChanges().apply([appending(file, 'two', inForce)])).toBe(true);
    expect(file).toMatchObject({ text: 'one\ntwo\n', steps: ['prepare', 'place', 'sync'], drafts: 0 });
    expect(inForce).toEqual(['f two']);
  });

  it('that changes nothing writes nothing', async () => {
    const file = new TextInMemory('f', 'one\n');
    expect(await new FileChanges().apply([{ file, edit: () => null }])).toBe(false);
    expect(await new FileChanges().apply([{ file, edit: (text) => ({ text, takeEffect: () => {} }) }])).toBe(false);
    expect(file.steps).toEqual([]);
  });

  it('is made one after the other, each on what the one before has left', async () => {
    const file = new TextInMemory('f', '');
    const changes = new FileChanges();
    await Promise.all(['a', 'b', 'c', 'd'].map((word) => changes.apply([appending(file, word)])));
    expect(file.text).toBe('a\nb\nc\nd\n');
  });

  it('is made again on what somebody has written by hand meanwhile', async () => {
    const file = new TextInMemory('f', 'one\n');
    let edits = 0;
    file.onPrepare = () => {
      if (edits++ < 2) file.text = `by hand ${edits}\n${file.text}`;
    };
    await new FileChanges().apply([appending(file, 'two')]);
    expect(file.text).toBe('by hand 2\nby hand 1\none\ntwo\n');
    expect(file.drafts).toBe(0);
  });

  it('is given up if somebody writes the file again and again, and the next one is made all the same', async () => {
    const file = new TextInMemory('f', '');
    const changes = new FileChanges();
    file.onPrepare = () => {
      file.text += '.';
    };
    await expect(changes.apply([appending(file, 'two')])).rejects.toThrow('f: somebody else writes it again and again');
    expect(file).toMatchObject({ text: '.....', drafts: 0 });
    file.onPrepare = () => {};
    await changes.apply([appending(file, 'three')]);
    expect(file.text).toBe('.....three\n');
  });

  it.each(['prepare', 'place'] as const)('whose %s fails leaves the file as it was', async (step) => {
    const file = new TextInMemory('f', 'one\n');
    const inForce: string[] = [];
    file.failing = step;
    await expect(new FileChanges().apply([appending(file, 'two', inForce)])).rejects.toThrow(FileNotWritten);
    expect(file).toMatchObject({ text: 'one\n', drafts: 0 });
    expect(inForce).toEqual([]);
  });

  it('of two files changes none if one cannot be written', async () => {
    const [one, other] = [new TextInMemory('one', ''), new TextInMemory('other', '')];
    other.failing = 'prepare';
    const edits = [appending(one, 'x'), appending(other, 'x')];
    await expect(new FileChanges().apply(edits)).rejects.toThrow(FileNotWritten);
    expect([one.text, other.text, one.drafts]).toEqual(['', '', 0]);
  });

  it('of two files says so if only one could be replaced, and has that one in force', async () => {
    const [one, other] = [new TextInMemory('one', ''), new TextInMemory('other', '')];
    const inForce: string[] = [];
    other.failing = 'place';
    const edits = [appending(one, 'x', inForce), appending(other, 'x', inForce)];
    await expect(new FileChanges().apply(edits)).rejects.toThrow(
      'other cannot be written (EROFS); one has been changed',
    );
    expect([one.text, other.text, other.drafts]).toEqual(['x\n', '', 0]);
    expect(inForce).toEqual(['one x']);
  });

  it('waits with a bounded number of others', async () => {
    const file = new TextInMemory('f', '');
    const changes = new FileChanges();
    const all = await Promise.allSettled(Array.from({ length: 103 }, () => changes.apply([appending(file, '.')])));
    const refused = all.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => reason)).toEqual(Array(3).fill(expect.any(TooManyChanges)));
    expect(file.text).toHaveLength(200);
    await changes.apply([appending(file, '.')]);
  });
});
