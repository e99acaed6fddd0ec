/** The layer takes away what was not synced, and nothing else: judged by a LevelDB database of the same version as ours. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Level } from 'level';
import { describe, expect, it } from 'vitest';
import type { Adversary, NameRule, PowerCut } from './power-loss-disk.js';
import { POWER_LOSS_OBSTACLE, PowerLossLayer } from './power-loss-layer.js';
import { RandomSource } from './random-source.js';
import { figure, SEED, titleOf } from './settings.js';
import { TemporaryDirectory } from './temporary-directory.js';

const WRITER = fileURLToPath(new URL('./level-writer.mjs', import.meta.url));
const random = new RandomSource(SEED);
const adversary = (names: Adversary['names'], tails: Adversary['tails']): Adversary => ({ names, tails, random });

class Database implements Disposable {
  readonly #folder = new TemporaryDirectory('level');
  readonly #directory: string;
  readonly #layer: PowerLossLayer;

  constructor(rule?: NameRule) {
    this.#directory = join(this.#folder.path, 'data');
    mkdirSync(this.#directory);
    this.#layer = new PowerLossLayer(this.#folder.path, this.#directory, rule);
  }

  /** Writes until `count` records are acknowledged, and dies. @returns the last acknowledged number */
  async write(sync: boolean, count: number, syncsDirectory = true): Promise<number> {
    const child = spawn(process.execPath, [WRITER, this.#directory, String(sync), String(syncsDirectory)], {
      env: { ...process.env, ...this.#layer.environment() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    let last = -1;
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = Number(line);
      if (last + 1 >= count) child.kill('SIGKILL');
    });
    await closed;
    return last;
  }

  cut(choice: Adversary): PowerCut {
    return this.#layer.cut(choice);
  }

  /** How many records there are, without a gap. */
  async count(): Promise<number> {
    const database = new Level<string, string>(this.#directory);
    await database.open();
    let count = 0;
    while ((await database.get(String(count))) !== undefined) count++;
    await database.close();
    return count;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

describe.skipIf(POWER_LOSS_OBSTACLE !== undefined)(titleOf('the power loss layer', POWER_LOSS_OBSTACLE), () => {
  it.each([
    ['none', 'nothing'],
    ['none', 'pages'],
    ['some', 'a first part'],
    ['all', 'pages'],
  ] as const)('keeps synced records, when %s of the names and %s of the tails survive', async (names, tails) => {
    using database = new Database();
    const last = await database.write(true, 150 + random.integer(0, 50));
    figure(names, tails, JSON.stringify(database.cut(adversary(names, tails))));
    expect(await database.count()).toBeGreaterThan(last);
  });

  it('takes records away that were acknowledged without a sync', async () => {
    using database = new Database();
    const last = await database.write(false, 150);
    const cut = database.cut(adversary('none', 'nothing'));
    figure('unsynced', JSON.stringify(cut), 'of', last + 1);
    expect(cut.lostBytes).toBeGreaterThan(1000);
    expect(await database.count()).toBeLessThan(last);
  });

  it('keeps them all when only the process dies', async () => {
    using database = new Database();
    const last = await database.write(false, 150);
    expect(await database.count()).toBeGreaterThan(last);
  });

  it('takes names away: LevelDB does not sync the name of CURRENT in a new database', async () => {
    using database = new Database();
    await database.write(true, 10, false);
    expect(database.cut(adversary('none', 'nothing')).lostNames).toBe(2);
    await expect(database.count()).rejects.toThrow();
  });
});
