import { describe, expect, it } from 'vitest';
import type { Ban } from '../../../../src/broker/defence/ban.js';
import { BanList } from '../../../../src/broker/defence/ban-list.js';
import type { BanEntry } from '../../../../src/broker/defence/defence-options.js';
import { InvalidArgument } from '../../../../src/core/errors.js';
import { ManualClock } from '../../../support/manual-clock.js';

class World {
  readonly clock = new ManualClock();
  readonly notes = new Map<string, Buffer>();
  readonly told: Ban[] = [];
  readonly #configured: readonly BanEntry[];
  bans: BanList;

  constructor(configured: readonly BanEntry[] = []) {
    this.#configured = configured;
    this.bans = this.#open();
  }

  restart(): boolean[] {
    this.bans = this.#open();
    return [...this.notes].map(([name, bytes]) => this.bans.restore(name, bytes));
  }

  #open(): BanList {
    const journal = {
      noteSaved: (name: string, bytes: Buffer) => {
        this.notes.set(name, bytes);
        return 1;
      },
      noteRemoved: (name: string) => {
        this.notes.delete(name);
        return 1;
      },
    };
    return new BanList(this.#configured, this.clock, journal, (ban) => this.told.push(ban));
  }
}

describe('a ban', () => {
  it('is found by client id, user and address, and is in force until it is lifted', () => {
    const { bans, told } = new World();
    bans.ban({ kind: 'client', value: 'c', reason: 'noisy' });
    bans.ban({ kind: 'user', value: 'u' });
    bans.ban({ kind: 'address', value: '10.0.0.1' });
    bans.ban({ kind: 'address', value: '10.1.0.0/16' });
    expect(bans.findClient('c')?.reason).toBe('noisy');
    expect(bans.findUser('c')).toBeUndefined();
    expect(bans.findUser('u')).toBeDefined();
    expect(bans.findAddress('::ffff:10.0.0.1')).toBeDefined();
    expect(bans.findAddress('10.1.200.3')?.value).toBe('10.1.0.0/16');
    expect(bans.findAddress('10.2.0.1')).toBeUndefined();
    expect(told).toHaveLength(4);
    expect(bans.unban('address', '10.1.0.0/16')).not.toBeNull();
    expect(bans.findAddress('10.1.200.3')).toBeUndefined();
    expect(bans.unban('address', '10.1.0.0/16')).toBeNull();
    expect(bans.list().map(({ value }) => value)).toEqual(['c', 'u', '10.0.0.1']);
  });

  it.each([
    ['0.0.0.0/0', '127.0.0.1/0', '127.0.0.1'],
    ['10.0.0.0/8', '::ffff:10.1.2.3/104', '10.9.9.9'],
    ['10.0.0.7', '10.0.0.7/32', '10.0.0.7'],
    ['2001:db8::/64', '2001:db8::5/64', '2001:db8::7'],
    ['2001:db8::/32', '2001:db8:ffff::/32', '2001:db8:1::'],
  ])('of the network %s is that of %s, too', (one, other, within) => {
    const { bans, notes } = new World();
    bans.ban({ kind: 'address', value: one });
    bans.ban({ kind: 'address', value: other, reason: 'again' });
    expect(bans.list()).toHaveLength(1);
    expect(notes.size).toBe(1);
    expect(bans.find('address', one)?.reason).toBe('again');
    expect(bans.findAddress(within)).toBe(bans.find('address', other));
    bans.unban('address', one);
    expect(bans.findAddress(within)).toBeUndefined();
    expect(notes.size).toBe(0);
  });

  it('that was kept in several forms is one after a restart, until the last of them ends', () => {
    const world = new World();
    const kept = (value: string, untilMs: number): void => {
      const name = `ban/address/${encodeURIComponent(value)}`;
      const record = { version: 1, kind: 'address', value, sinceMs: 1, untilMs: world.clock.now() + untilMs };
      world.notes.set(name, Buffer.from(JSON.stringify(record)));
    };
    kept('10.1.0.0/8', 1000);
    kept('10.0.0.0/8', 3000);
    kept('10.2.0.0/8', 2000);
    for (const round of ['the first start', 'the next']) {
      expect(world.restart(), round).not.toContain(false);
      expect(
        world.bans.list().map(({ value }) => value),
        round,
      ).toEqual(['10.0.0.0/8']);
      expect([...world.notes.keys()], round).toEqual(['ban/address/10.0.0.0%2F8']);
    }
    world.clock.advance(2999);
    expect(world.bans.findAddress('10.3.0.1')).toBeDefined();
    world.clock.advance(1);
    expect(world.bans.findAddress('10.3.0.1')).toBeUndefined();
  });

  it('ends by itself, and leaves nothing behind', () => {
    const { bans, clock, notes } = new World();
    bans.ban({ kind: 'address', value: '10.0.0.0/8', forMs: 1000 });
    clock.advance(999);
    expect(bans.findAddress('10.0.0.1')).toBeDefined();
    clock.advance(1);
    expect(bans.findAddress('10.0.0.1')).toBeUndefined();
    expect(bans.list()).toEqual([]);
    expect(notes.size).toBe(0);
  });

  it('survives a restart, with its end', () => {
    const world = new World();
    world.bans.ban({ kind: 'client', value: 'a/b:c é', reason: 'why' });
    world.bans.ban({ kind: 'user', value: '__proto__', forMs: 1000 });
    world.bans.ban({ kind: 'user', value: 'short', forMs: 10 });
    const before = world.bans.list();
    expect(world.restart()).toEqual([true, true, true]);
    expect(world.bans.list()).toEqual(before);
    world.clock.advance(10);
    expect(world.restart()).toEqual([true, true, true]);
    expect(world.bans.findUser('short')).toBeUndefined();
    expect(world.bans.findUser('__proto__')?.untilMs).toBe(before[1]?.untilMs);
    expect(world.notes.size).toBe(2);
  });

  it('that cannot be read back is told apart', () => {
    const { bans } = new World();
    const good = { version: 1, kind: 'user', value: 'u', sinceMs: 1 };
    const outcomes = ['{', 'null', '{"version":2}', JSON.stringify({ ...good, kind: 'x' })].map((text) =>
      bans.restore('ban/user/u', Buffer.from(text)),
    );
    expect(outcomes).toEqual([false, false, false, false]);
    expect(bans.restore('ban/user/other', Buffer.from(JSON.stringify(good)))).toBe(false);
    expect(bans.restore('ban/user/u', Buffer.from(JSON.stringify(good)))).toBe(true);
  });

  it('is of something that there can be', () => {
    const { bans } = new World();
    expect(() => bans.ban({ kind: 'address', value: '10.0.0.0/33' })).toThrow(InvalidArgument);
    expect(() => bans.ban({ kind: 'client', value: '' })).toThrow(InvalidArgument);
    expect(() => bans.ban({ kind: 'client', value: 'x'.repeat(65_536) })).toThrow(InvalidArgument);
    expect(() => bans.ban({ kind: 'client', value: 'x', forMs: 0 })).toThrow(InvalidArgument);
  });
});

describe('a ban of the configuration', () => {
  it('cannot be lifted, nor made shorter', () => {
    const { bans, notes } = new World([{ kind: 'user', value: 'u' }]);
    expect(bans.unban('user', 'u')).toBeNull();
    bans.ban({ kind: 'user', value: 'u', forMs: 1 });
    expect(bans.findUser('u')).toMatchObject({ origin: 'configuration', untilMs: Number.POSITIVE_INFINITY });
    expect(notes.size).toBe(0);
  });
});

describe('a ban that the broker sets by itself', () => {
  it('is forgotten with the process, and can be lifted', () => {
    const world = new World();
    world.bans.banForAWhile({ kind: 'address', value: '2001:db8:0:1::/64' }, 1000);
    expect(world.bans.findAddress('2001:db8:0:1::7')?.origin).toBe('flapping');
    expect(world.notes.size).toBe(0);
    expect(world.bans.unban('address', '2001:db8:0:1::/64')).not.toBeNull();
    expect(world.bans.findAddress('2001:db8:0:1::7')).toBeUndefined();
  });
});
