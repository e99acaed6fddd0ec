/** Names of targets are resolved few at a time, and each once for all who want it. */
import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { AllowedTargets } from '../../../../src/bridge/push/allowed-targets.js';
import { HostLookup, type Resolver } from '../../../../src/bridge/push/host-lookup.js';

interface Asked {
  readonly name: string;
  readonly answer: Parameters<Resolver>[1];
}

function world(allow: readonly string[] = ['10.0.0.0/8']) {
  const asked: Asked[] = [];
  const { lookup } = new HostLookup(new AllowedTargets(allow), (name, answer) => void asked.push({ name, answer }));
  const found: (string | LookupAddress[])[] = [];
  const find = (name: string, options: Parameters<typeof lookup>[1] = {}): void => {
    lookup(name, options, (error, address) => void found.push(error === null ? address : error.message));
  };
  return { asked, found, find };
}

const TEN: LookupAddress = { address: '10.0.0.1', family: 4 };
const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };
const SIX: LookupAddress = { address: '::ffff:10.0.0.2', family: 6 };

describe('a lookup', () => {
  it('is made once for all who want the same name, and again for those who come later', () => {
    const { asked, found, find } = world();
    find('a');
    find('a');
    asked[0]?.answer(null, [TEN]);
    find('a');
    expect([found, asked.length]).toEqual([['10.0.0.1', '10.0.0.1'], 2]);
  });

  it('waits while two others are on their way', () => {
    const { asked, find } = world();
    for (const name of ['a', 'b', 'c', 'd', 'c']) find(name);
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b']);
    asked[1]?.answer(null, [TEN]);
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    asked[0]?.answer(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
    asked[2]?.answer(null, [TEN]);
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('finds what is allowed alone, in the form that is asked for', () => {
    const { asked, found, find } = world();
    find('a', { all: true });
    find('a', { family: 4 });
    find('a', { family: 'IPv6' });
    asked[0]?.answer(null, [LOOPBACK, SIX, TEN]);
    expect(found).toEqual([[SIX, TEN], '10.0.0.1', '::ffff:10.0.0.2']);
  });

  it('fails if nothing is allowed, or there is nothing', () => {
    const { asked, found, find } = world();
    find('a', { all: true });
    asked[0]?.answer(null, [LOOPBACK]);
    find('b');
    asked[1]?.answer(null, []);
    find('c');
    asked[2]?.answer(Object.assign(new Error('ENOTFOUND c'), { code: 'ENOTFOUND' }), []);
    expect(found).toEqual([
      'a leads to no address that push.allow allows',
      'b leads to no address that push.allow allows',
      'ENOTFOUND c',
    ]);
  });
});
