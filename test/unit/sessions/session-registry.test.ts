import { describe, expect, it } from 'vitest';
import { TimingWheel } from '../../../src/core/timing-wheel.js';
import { NEVER_EXPIRES } from '../../../src/sessions/session.js';
import { SessionRegistry } from '../../../src/sessions/session-registry.js';
import type { Will } from '../../../src/sessions/will.js';
import { FakeFront } from '../../support/fake-front.js';
import { sessionContext } from '../../support/session-context.js';
import { testMessage } from '../../support/test-message.js';

function setUp() {
  const context = sessionContext();
  const log: string[] = [];
  const registry = new SessionRegistry(context, new TimingWheel(context.clock), {
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
      'willRemoved c',
      'sessionRemoved c',
    ]);
  });

  it('lists its sessions', () => {
    const { registry, connect } = setUp();
    connect('a', 10);
    connect('b', 10);
    expect([...registry].map((session) => session.clientId)).toEqual(['a', 'b']);
    expect(registry.find('nobody')).toBeUndefined();
  });
});
