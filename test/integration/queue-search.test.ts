/** Searches among a hundred thousand messages: each finds what it should, without looking at much more, and lets others have their turn. */
import { describe, expect, it } from 'vitest';
import { Message } from '../../src/core/message.js';
import type { TracePage, TraceQuery } from '../../src/queues/history/trace-query.js';
import { LevelQueueWorld } from '../support/stored-queue-world.js';

const MESSAGES = 100_000;
const DEVICES = 100;
const MS_PER_BATCH = 100;
const BATCH = 1000;

function messageAbout(device: number, payload: string): Message {
  const message = new Message();
  message.topic = `devices/${device}/telemetry`;
  const topicBytes = message.topic.length;
  message.bytes = Buffer.from(message.topic + payload);
  message.topicEnd = topicBytes;
  message.propertiesStart = topicBytes;
  message.propertiesEnd = topicBytes;
  message.payloadStart = topicBytes;
  message.payloadEnd = message.bytes.length;
  message.publisherId = `device-${device}`;
  return message;
}

function numbersOf({ messages }: TracePage): number[] {
  return messages.map(({ message }) => Number(message.payload.toString()));
}

describe('a search among a hundred thousand messages', () => {
  it('finds them by id, key, topic and time, in both orders and in pages', { timeout: 120_000 }, async () => {
    const world = await LevelQueueWorld.open();
    const options = { historyMs: 86_400_000 };
    const queues = [world.queue('even', options), world.queue('odd', options)] as const;
    const startMs = world.clock.now();
    const ids: string[] = [];
    for (let at = 0; at < MESSAGES; at++) {
      const queue = queues[at % 2] as (typeof queues)[0];
      const message = messageAbout(at % DEVICES, String(at));
      const [outcome] = world.registry.enqueue(message, [{ queue, options: { key: `order-${at % 5000}` } }]);
      if (outcome?.status === 'enqueued') ids.push(outcome.id);
      if (at % BATCH !== BATCH - 1) continue;
      await world.commit();
      world.clock.advance(MS_PER_BATCH);
    }
    expect(ids).toHaveLength(MESSAGES);
    const search = (query: TraceQuery): Promise<TracePage> => world.registry.search(query);

    const byId = await search({ id: ids[54_321] as string });
    expect(numbersOf(byId)).toEqual([54_321]);
    expect(byId).toMatchObject({ endedBy: 'end', cursor: null });
    expect(byId.examined).toBeLessThan(5);
    expect(byId.messages[0]).toMatchObject({ queue: 'odd', message: { publisherId: 'device-21' } });
    expect((await search({ id: ids[54_321] as string, queue: 'even' })).messages).toEqual([]);

    const byKey = await search({ key: 'order-7', order: 'oldest-first' });
    expect(numbersOf(byKey)).toEqual(Array.from({ length: 20 }, (_, at) => 7 + 5000 * at));
    expect(byKey.examined).toBeLessThan(50);

    const byTopic = await search({ topic: 'devices/42/telemetry', limit: 5 });
    expect(numbersOf(byTopic)).toEqual([99_942, 99_842, 99_742, 99_642, 99_542]);
    expect(byTopic.endedBy).toBe('page');
    expect(byTopic.examined).toBeLessThan(300);

    const inTime = { fromMs: startMs + 50 * MS_PER_BATCH, toMs: startMs + 52 * MS_PER_BATCH };
    const byTime = await search({ ...inTime, order: 'oldest-first', limit: 1000 });
    expect(numbersOf(byTime)).toEqual(Array.from({ length: 1000 }, (_, at) => 50_000 + at));
    expect(byTime.examined).toBeLessThan(2500);
    const rest = await search({ ...inTime, order: 'oldest-first', limit: 1000, cursor: byTime.cursor as string });
    expect(numbersOf(rest)).toEqual(Array.from({ length: 1000 }, (_, at) => 51_000 + at));
    expect((await search({ ...inTime })).messages[0]?.entry.key).toBe('order-1999');

    const combined = await search({ ...inTime, queue: 'odd', key: 'order-1001', topic: 'devices/+/telemetry' });
    expect(numbersOf(combined)).toEqual([51_001]);
    expect(numbersOf(await search({ ...inTime, topic: 'devices/8/#', queue: 'even' }))).toHaveLength(20);
    expect((await search({ key: 'order-1001', topic: 'devices/2/telemetry' })).messages).toEqual([]);

    let turns = 0;
    let isRunning = true;
    const countTurns = (): void => {
      turns++;
      if (isRunning) setImmediate(countTurns);
    };
    countTurns();
    const nothing = await search({ topic: 'devices/+/alarms' });
    isRunning = false;
    expect(nothing).toMatchObject({ messages: [], endedBy: 'end', cursor: null, examined: MESSAGES });
    expect(turns).toBeGreaterThan(MESSAGES / 1000);

    // Its time is over again and again: it goes on where it was.
    isRunning = true;
    const passTime = (): void => {
      world.clock.advance(20);
      if (isRunning) setImmediate(passTime);
    };
    passTime();
    const found: number[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const page = await search({ topic: 'devices/3/+', limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...numbersOf(page));
      expect(page.endedBy).toBe(page.cursor === null ? 'end' : 'budget');
      cursor = page.cursor ?? undefined;
      pages++;
    } while (cursor !== undefined && pages < 10_000);
    isRunning = false;
    expect(pages).toBeGreaterThan(2);
    expect(found).toEqual(Array.from({ length: MESSAGES / DEVICES }, (_, at) => MESSAGES - DEVICES * (at + 1) + 3));
  });
});
