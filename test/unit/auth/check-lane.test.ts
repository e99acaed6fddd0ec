/** The line of checks that take time, when some flood it. */
import { describe, expect, it } from 'vitest';
import { BUSY, CheckLane } from '../../../src/auth/check-lane.js';
import { ManualClock } from '../../support/manual-clock.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function world(limits: { readonly maximumWaiting?: number; readonly concurrency?: number } = {}) {
  const { maximumWaiting = 1000, concurrency = 1 } = limits;
  const clock = new ManualClock();
  const lane = new CheckLane({ concurrency, maximumWaiting, maximumWaitMs: 5000 }, clock);
  const begun: string[] = [];
  const busy: string[] = [];
  const endings: (() => void)[] = [];
  /** A check that is called by its address, or by a name. */
  const ask = (address: string, name = address): void => {
    const work = (): Promise<string> => {
      begun.push(name);
      return new Promise((resolve) => endings.push(() => resolve(name)));
    };
    void lane.run(work, { address, isWanted: () => true }).then((outcome) => {
      if (outcome === BUSY) busy.push(name);
    });
  };
  /** Ends so many checks, one after the other. */
  const end = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left--) {
      endings.shift()?.();
      await turn();
    }
  };
  return { clock, lane, begun, busy, ask, end };
}

describe('a line of checks', () => {
  it('has one check of each address in turn, and those of one address in their order', async () => {
    const { begun, ask, end, lane } = world();
    for (const name of ['a1', 'a2', 'a3', 'a4']) ask('10.0.0.1', name);
    ask('10.0.0.2', 'b1');
    ask('::ffff:10.0.0.2', 'b2');
    ask('2001:db8::1', 'c1');
    ask('2001:db8::2', 'c2');
    expect(lane.waiting).toBe(7);
    await end(8);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'c2', 'a4']);
    expect(lane.waiting).toBe(0);
  });

  it('lets addresses that nothing wrong came from go before others, which have every fourth turn', async () => {
    const { begun, ask, end, lane } = world();
    ask('10.0.0.1', 'first');
    lane.suspect('10.0.0.66');
    for (let i = 0; i < 4; i++) ask('10.0.0.66', 'flood');
    for (let i = 0; i < 4; i++) ask(`10.0.1.${i}`, `clean ${i}`);
    await end(9);
    expect(begun).toEqual(['first', 'clean 0', 'clean 1', 'clean 2', 'flood', 'clean 3', 'flood', 'flood', 'flood']);
  });

  it('moves what waits for an address behind the others when something wrong comes from it', async () => {
    const { begun, ask, end, lane } = world();
    ask('10.0.0.66', 'first');
    for (let i = 0; i < 2; i++) ask('10.0.0.66', 'flood');
    ask('10.0.0.1', 'clean');
    lane.suspect('::ffff:10.0.0.66');
    await end(4);
    expect(begun).toEqual(['first', 'clean', 'flood', 'flood']);
  });

  it('loses nothing when something wrong comes again from an address that waits behind another suspect', async () => {
    const { begun, ask, end, lane } = world();
    lane.suspect('10.0.0.66');
    lane.suspect('10.0.0.67');
    ask('10.0.0.1', 'first');
    ask('10.0.0.66', 'flood a');
    for (const name of ['flood b', 'flood c']) ask('10.0.0.67', name);
    lane.suspect('10.0.0.67');
    ask('10.0.0.2', 'clean');
    await end(5);
    expect(begun).toEqual(['first', 'clean', 'flood a', 'flood b', 'flood c']);
    expect(lane.waiting).toBe(0);
  });

  it('forgets after a while that something wrong came from an address', async () => {
    const { begun, ask, end, lane, clock } = world();
    lane.suspect('10.0.0.66');
    clock.advance(600_000);
    ask('10.0.0.1', 'first');
    ask('10.0.0.66', 'forgotten');
    ask('10.0.0.2', 'clean');
    await end(3);
    expect(begun).toEqual(['first', 'forgotten', 'clean']);
  });

  it('that is full has somebody who is suspect give up his place to who is not', async () => {
    const { begun, busy, ask, end, lane } = world({ maximumWaiting: 2 });
    lane.suspect('10.0.0.66');
    ask('10.0.0.1', 'first');
    ask('10.0.0.66', 'flood 1');
    ask('10.0.0.66', 'flood 2');
    ask('10.0.0.66', 'flood 3');
    ask('10.0.0.2', 'clean 1');
    ask('10.0.0.3', 'clean 2');
    ask('10.0.0.4', 'clean 3');
    await turn();
    expect(busy).toEqual(['flood 3', 'flood 1', 'flood 2', 'clean 3']);
    expect(lane.refused).toBe(4);
    await end(3);
    expect(begun).toEqual(['first', 'clean 1', 'clean 2']);
  });

  it('suspects nobody of the broker’s own work', async () => {
    const { begun, ask, end, lane } = world();
    lane.suspect('');
    ask('10.0.0.1', 'first');
    ask('', 'own');
    ask('10.0.0.2', 'clean');
    await end(3);
    expect(begun).toEqual(['first', 'own', 'clean']);
  });
});
