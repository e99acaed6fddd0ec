import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoriesOnTheWay } from '../../../../src/transport/tls/file-watch.js';
import { createTemporaryDirectory } from '../../../support/temporary-directory.js';

/** A directory that no link leads to. */
async function realDirectory(): Promise<string> {
  return realpathSync(await createTemporaryDirectory());
}

describe('the directories on the way to a file', () => {
  it('are its own if there is no link', async () => {
    const root = await realDirectory();
    expect(directoriesOnTheWay(join(root, 'tls.crt'))).toEqual([root]);
  });

  it('are those of all links, and that of the file behind them', async () => {
    const root = await realDirectory();
    mkdirSync(join(root, 'mount', '..2026'), { recursive: true });
    writeFileSync(join(root, 'mount', '..2026', 'tls.crt'), '');
    symlinkSync('..2026', join(root, 'mount', '..data'));
    symlinkSync('..data/tls.crt', join(root, 'mount', 'tls.crt'));
    symlinkSync(join(root, 'mount'), join(root, 'etc'));
    expect(directoriesOnTheWay(join(root, 'etc', 'tls.crt'))).toEqual([
      root,
      join(root, 'mount'),
      join(root, 'mount', '..2026'),
    ]);
  });

  it('follow a link that goes up', async () => {
    const root = await realDirectory();
    for (const name of ['live', 'archive']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'archive', 'privkey1.pem'), '');
    symlinkSync('../archive/privkey1.pem', join(root, 'live', 'privkey.pem'));
    expect(directoriesOnTheWay(join(root, 'live', 'privkey.pem'))).toEqual([join(root, 'live'), join(root, 'archive')]);
  });

  it('end, also where links lead in a circle', async () => {
    const root = await realDirectory();
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    expect(directoriesOnTheWay(join(root, 'a'))).toEqual([root]);
  });
});
