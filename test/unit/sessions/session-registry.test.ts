import { describe, expect, it } from 'vitest';
import { TimingWheel } from '../../../src/core/timing-wheel.js';
import { NEVER_EXPIRES } from '../../../src/sessions/session.js';
import { SessionRegistry } from '../../../src/sessions/session-registry.js';
import type { Will } from '../../../src/sessions/will.js';
import { TestCounter } from '../../support/delayed-store.js';
import { FakeFront } from '../../support/fake-front.js';
import { sessionContext } from '../../support/session-context.js';
import { testMessage } from '../../support/test-message.js';

function setUp() {
  const context = sessionContext();
  const log: string[] = [];
  const registry = new SessionRegistry(context, new TestCounter(), new TimingWheel(context.clock), {
    onWillDue: (session, will) => log.push(`will ${session.clientId} ${will.message.topic}`),
    onSessionEnded: (session) => log.push(`ended ${session.clientId}`),
  });
  const connect = (clientId: string, expirySeconds: number, will: Will | null = null, cleanStart = false) => {
    const { session, isPresent } = registry.open(clientId, cleanStart, expirySeconds, will);
    const epoch = session.attach(new FakeFront(), 10);
    return { session, isPresent, close: (publishWill = true) => registry.close(session, epoch, publishWill) };
  };
  return { context, registry, log, connect, clock: context.clock };
}

const will = (delaySeconds: number, topic = 'w'): Will => ({ message: testMessage({ topic }), delaySeconds });

describe('SessionRegistry', () => {
  it('ends a session without an expiry with its connection', () => {
    const { registry, log, connect } = setUp();
    connect('c', 0).close();
    expect(log).toEqual(['ended c']);
    expect(registry.size).toBe(0);
  });

  it('keeps a session for its expiry, and not longer', () => {
    const { registry, log, connect, clock } = setUp();
    connect('c', 60).close();
    expect([registry.size, registry.disconnectedCount]).toEqual([1, 1]);
    clock.advance(59_999);
    expect(log).toEqual([]);
    clock.advance(101);
    expect(log).toEqual(['ended c']);
    expect([registry.size, registry.disconnectedCount]).toEqual([0, 0]);
  });

  it('never ends one that never expires', () => {
    const { log, connect, clock } = setUp();
    connect('c', NEVER_EXPIRES).close();
    clock.jump(2 ** 45);
    expect(log).toEqual([]);
  });

  it('goes on with a session that is known, and stops its deadlines', () => {
    const { registry, log, connect, clock } = setUp();
    const first = connect('c', 60, will(30));
    first.close();
    clock.advance(29_000);
    const second = connect('c', 60);
    expect(second.isPresent).toBe(true);
    expect(second.session).toBe(first.session);
    expect(registry.disconnectedCount).toBe(0);
    clock.advance(600_000);
    expect(log).toEqual([]);
  });

  it('ends the known session on a clean start, with the will that waited', () => {
    const { log, connect } = setUp();
    const first = connect('c', 60, will(30));
    first.close();
    const second = connect('c', 60, null, true);
    expect(second.isPresent).toBe(false);
    expect(second.session).not.toBe(first.session);
    expect(log).toEqual(['will c w', 'ended c']);
  });

  it('ignores the end of a connection that has been replaced', () => {
    const { registry, log, connect } = setUp();
    const first = connect('c', 0);
    const second = connect('c', 0);
    first.close();
    expect(log).toEqual([]);
    expect(registry.find('c')).toBe(second.session);
    second.close();
    expect(log).toEqual(['ended c']);
  });

  it.each([
    ['at once without a delay', 0, 60, 0, ['will c w']],
    ['at once when the session ends with the connection', 60, 0, 0, ['will c w', 'ended c']],
    ['after its delay', 30, 60, 30_100, ['will c w']],
    ['not before its delay', 30, 60, 29_999, []],
    ['with the session if that ends first', 60, 30, 30_100, ['will c w', 'ended c']],
    ['with the session if both end together', 30, 30, 30_100, ['will c w', 'ended c']],
    ['after its delay if the session never ends', 30, NEVER_EXPIRES, 30_100, ['will c w']],
    ['even after the longest delay', 0xffffffff, 30, 30_100, ['will c w', 'ended c']],
  ])('publishes a will %s', (_name, delay, expiry, wait, expected) => {
    const { log, connect, clock } = setUp();
    connect('c', expiry, will(delay)).close();
    clock.advance(wait);
    expect(log).toEqual(expected);
  });

  it('publishes a will once', () => {
    const { log, connect, clock } = setUp();
    connect('c', 60, will(30)).close();
    clock.advance(200_000);
    expect(log).toEqual(['will c w', 'ended c']);
  });

  it('discards a will after a normal end, for good', () => {
    const { log, connect, clock } = setUp();
    const { session, close } = connect('c', 60, will(0));
    close(false);
    expect(session.will).toBeNull();
    clock.advance(200_000);
    expect(log).toEqual(['ended c']);
  });

  it('takes the will of the last connection', () => {
    const { log, connect } = setUp();
    connect('c', 60, will(30, 'first')).close();
    connect('c', 60, will(0, 'second')).close();
    expect(log).toEqual(['will c second']);
  });

  it('records what outlives the connection, and takes it back', () => {
    const { context, registry, connect } = setUp();
    const { session, close } = connect('c', 60, will(30));
    registry.changeExpiry(session, 90);
    close(false);
    connect('c', 0).close();
    expect(context.journal.verbs()).toEqual([
      'sessionSaved c 60',
      'willSaved c w',
      'sessionSaved c 90',
      'stateChanged 1',
      'willRemoved c',
      'sessionSaved c 90',
      'sessionSaved c 0',
      'stateChanged 1',
      'sessionRemoved c',
    ]);
  });

  it('keeps the stored will of the next connection when that of the last one has been published late', () => {
    const { context, registry, connect } = setUp();
    connect('c', 0, will(0)).close();
    connect('c', 0, will(0));
    registry.forgetWill('c');
    expect(context.journal.verbs()).toEqual(['willSaved c w', 'willSaved c w']);
  });

  it('does nothing at its deadlines once it is frozen: they are for the next start', () => {
    const { context, registry, connect, clock, log } = setUp();
    connect('c', 60, will(2)).close();
    const before = context.journal.verbs().length;
    registry.freeze();
    clock.advance(100_000);
    expect(log).toEqual([]);
    expect(context.journal.verbs().length).toBe(before);
  });

  it('records of a session that ends with its connection nothing but its will', () => {
    const { context, registry, connect } = setUp();
    connect('c', 0, will(0)).close();
    expect(context.journal.verbs()).toEqual(['willSaved c w']);
    registry.forgetWill('c');
    expect(context.journal.verbs()).toEqual(['willSaved c w', 'willRemoved c']);
  });

  it('records whether a session is connected, and since when it is not', () => {
    const { registry, connect, clock } = setUp();
    const first = connect('c', 60);
    expect(first.session.record).toMatchObject({ clientId: 'c', number: 1, expirySeconds: 60, disconnectedAtMs: 0 });
    clock.advance(500);
    first.close();
    expect(first.session.record.disconnectedAtMs).toBe(clock.now());
    connect('c', 60);
    expect(registry.find('c')?.record.disconnectedAtMs).toBe(0);
  });

  it('keeps a session that reconnects without an expiry until its connection ends', () => {
    const { registry, log, connect } = setUp();
    const first = connect('c', 60);
    first.close();
    const second = connect('c', 0);
    expect(second.session).toBe(first.session);
    expect(second.session.isKept).toBe(true);
    second.close();
    expect(log).toEqual(['ended c']);
    expect(registry.size).toBe(0);
  });

  it('leaves sessions and wills as they are for the restart, once it is frozen', () => {
    const { context, registry, log, connect, clock } = setUp();
    const kept = connect('kept', 60, will(0));
    const clean = connect('clean', 0, will(0));
    const before = context.journal.entries.length;
    registry.freeze();
    clock.advance(10);
    kept.close();
    clean.close();
    clock.advance(600_000);
    expect(log).toEqual([]);
    expect(context.journal.verbs().slice(before)).toEqual(['stateChanged 1', 'sessionSaved kept 60']);
    expect(kept.session.will).not.toBeNull();
  });

  it('discards a will after a normal end while it is frozen too', () => {
    // The client had said goodbye, and its will was published after the restart.
    const { context, registry, connect } = setUp();
    const { session, close } = connect('c', 60, will(0));
    registry.freeze();
    close(false);
    expect(session.will).toBeNull();
    expect(context.journal.verbs()).toContain('willRemoved c');
  });

  describe('after a restart', () => {
    const record = { clientId: 'c', number: 7, expirySeconds: 60, disconnectedAtMs: 1000 };

    it('ends a session whose expiry ran out meanwhile with the next tick', () => {
      const { registry, log, clock } = setUp();
      clock.advance(59_000);
      registry.finishRestore(registry.restore(record));
      expect(log).toEqual([]);
      clock.advance(1100);
      expect(log).toEqual(['ended c']);
    });

    it('publishes a will when its delay has run out since the connection ended', () => {
      const { registry, log, clock } = setUp();
      clock.advance(10_000);
      const session = registry.restore(record);
      session.will = will(30);
      registry.finishRestore(session);
      clock.advance(19_900);
      expect(log).toEqual([]);
      clock.advance(200);
      expect(log).toEqual(['will c w']);
    });

    it('takes one that was connected for one that is disconnected now, and says so to the journal', () => {
      const { context, registry, log, clock } = setUp();
      clock.advance(9000);
      const session = registry.restore({ ...record, disconnectedAtMs: 0 });
      registry.finishRestore(session);
      expect(session.record).toEqual({ ...record, disconnectedAtMs: 10_000 });
      expect(context.journal.verbs()).toEqual(['sessionSaved c 60', 'stateChanged 7']);
      clock.advance(59_900);
      expect(log).toEqual([]);
      clock.advance(200);
      expect(log).toEqual(['ended c']);
    });

    it('ends one that was to end with its connection', () => {
      const { context, registry, log } = setUp();
      const session = registry.restore({ ...record, expirySeconds: 0, disconnectedAtMs: 0 });
      session.will = will(30);
      registry.finishRestore(session);
      expect(log).toEqual(['will c w', 'ended c']);
      expect(context.journal.verbs().at(-1)).toBe('sessionRemoved c');
    });
  });

  it('lists its sessions', () => {
    const { registry, connect } = setUp();
    connect('a', 10);
    connect('b', 10);
    expect([...registry].map((session) => session.clientId)).toEqual(['a', 'b']);
    expect(registry.find('nobody')).toBeUndefined();
  });
});
