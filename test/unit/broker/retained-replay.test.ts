import { expect, it } from 'vitest';
import { RetainedMessages } from '../../../src/broker/retained-messages.js';
import { RetainedReplay } from '../../../src/broker/retained-replay.js';
import { buildMessage } from '../../../src/codec/message-builder.js';
import { DropCounters } from '../../../src/core/drop-counters.js';
import type { Journal } from '../../../src/store/journal.js';
import { filterOf } from '../../support/subscriptions.js';

const UNLIMITED = {
  maximumMessages: Number.POSITIVE_INFINITY,
  maximumBytes: Number.POSITIVE_INFINITY,
  overflow: 'refuse',
} as const;

const STEPS = 2048;

/** Numbers of messages that a replay sends in each of its turns. */
function turnsOf(filter: string, topics: readonly string[]): number[] {
  const retained = new RetainedMessages({} as Journal, new DropCounters(), UNLIMITED, () => true);
  const rest = { payload: Buffer.from('x'), qos: 0, retain: true, properties: Buffer.alloc(0) } as const;
  for (const topic of topics) retained.restore(buildMessage({ ...rest, topic, publisherId: 'p', nowMs: 1 }));
  const options = { qos: 0, retainAsPublished: false, identifiers: null, streams: null } as const;
  const replay = new RetainedReplay(filter, retained.search(filterOf(filter)), options, undefined);
  const turns: number[] = [];
  while (!replay.isDone) {
    let sent = 0;
    const target = {
      canTakeRetained: true,
      sendRetained: () => {
        sent++;
      },
    };
    expect(replay.advance(target, STEPS)).toBeLessThanOrEqual(STEPS);
    turns.push(sent);
  }
  return turns;
}

it('sends a slice in each turn', () => {
  const topics = Array.from({ length: 600 }, (_, n) => `r/${n}`);
  expect(turnsOf('r/+', topics)).toEqual([256, 256, 88]);
});

it('goes a limited way in each turn, however far apart the messages lie', () => {
  const topics = Array.from({ length: 50_000 }, (_, n) => `r/${n}/${n % 1000 === 500 ? 'rare' : 'common'}`);
  const turns = turnsOf('r/+/rare', topics);
  expect(turns.reduce((sum, sent) => sum + sent, 0)).toBe(50);
  expect(Math.max(...turns)).toBeLessThanOrEqual(3);
  expect(turns.length).toBeLessThan(60);
});
