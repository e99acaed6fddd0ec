import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type WillContext, WillPublisher } from '../../../src/broker/will-publisher.js';
import { DropCounters } from '../../../src/core/drop-counters.js';
import type { Message } from '../../../src/core/message.js';
import { ManualClock } from '../../support/manual-clock.js';
import { testMessage } from '../../support/test-message.js';

function setUp(forbidden: string | null = null) {
  const clock = new ManualClock(1000);
  const drops = new DropCounters();
  const routed: Message[] = [];
  const forgotten: string[] = [];
  const asked: object[] = [];
  const whenRouted: (() => void)[] = [];
  const context = {
    clock,
    drops,
    logger: pino({ level: 'silent' }),
    access: {
      accessOf: (client: object) => {
        asked.push(client);
        return forbidden === null ? null : { mayPublish: ({ topic }: Message) => topic !== forbidden };
      },
    },
    router: {
      route: (message: Message, onRouted: () => void) => {
        routed.push(message);
        whenRouted.push(onRouted);
      },
    },
    sessions: { forgetWill: (clientId: string) => forgotten.push(clientId) },
  } as unknown as WillContext;
  return { wills: new WillPublisher(context), clock, drops, routed, forgotten, asked, whenRouted };
}

const owner = { username: 'ann', roles: ['r'], rules: [] };

describe('WillPublisher', () => {
  it('publishes a will, and has it forgotten when it has been routed', () => {
    const { wills, routed, forgotten, whenRouted } = setUp();
    const message = testMessage({ topic: 'gone', payload: 'c1' });
    wills.publish('c1', { message, delaySeconds: 0, owner });
    expect(routed).toEqual([message]);
    expect(forgotten).toEqual([]);
    whenRouted[0]?.();
    expect(forgotten).toEqual(['c1']);
  });

  it('counts the time until its expiry from when it is published [MQTT-3.3.2-6]', () => {
    const { wills, clock } = setUp();
    const message = testMessage({ topic: 'gone', messageExpiryInterval: 10, nowMs: 1000 });
    clock.advance(60_000);
    wills.publish('c1', { message, delaySeconds: 60 });
    expect(message.expiresAtMs).toBe(clock.now() + 10_000);
  });

  it('publishes none that its owner may not publish by now, and has it forgotten', () => {
    const { wills, routed, forgotten, drops, asked } = setUp('gone');
    wills.publish('c1', { message: testMessage({ topic: 'gone' }), delaySeconds: 0, owner });
    expect([routed, forgotten, drops.of('not-authorized')]).toEqual([[], ['c1'], 1]);
    expect(asked).toEqual([{ ...owner, clientId: 'c1' }]);
    wills.publish('c1', { message: testMessage({ topic: 'elsewhere' }), delaySeconds: 0, owner });
    expect(routed).toHaveLength(1);
  });

  it('asks nobody about the will of an owner who has been forgotten', () => {
    const { wills, routed, asked } = setUp('gone');
    wills.publish('c1', { message: testMessage({ topic: 'gone' }), delaySeconds: 0 });
    expect([routed.length, asked]).toEqual([1, []]);
  });
});
