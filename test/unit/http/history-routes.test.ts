/** Searches in the history of queues by HTTP: what is found, how it is told, and what cannot be asked. */
import { describe, expect, test } from 'vitest';
import { StoreClosed, StoreUnavailable } from '../../../src/core/errors.js';
import { queueDetail } from '../../../src/http/queue-answers.js';
import { type TraceAnswer, traceAnswer } from '../../../src/http/trace-answer.js';
import type { Delivery } from '../../../src/queues/delivery.js';
import { HttpWorld } from '../../support/http-world.js';
import { LevelQueueWorld, type StoredQueueWorld } from '../../support/stored-queue-world.js';

const ALL = '/api/v1/history';
const OF_WORK = '/api/v1/queues/work/history';
const TRACED = { historyMs: 60_000 };

type World = HttpWorld<StoredQueueWorld>;

async function start(): Promise<World> {
  return await HttpWorld.over(await LevelQueueWorld.open());
}

async function search(world: World, path: string): Promise<TraceAnswer> {
  const { status, body } = await world.call('GET', path);
  expect([status, traceAnswer.strict().safeParse(body).error?.issues ?? []]).toEqual([200, []]);
  return body as unknown as TraceAnswer;
}

function idsOf({ messages }: TraceAnswer): string[] {
  return messages.map(({ id }) => id);
}

/** `count` messages, one a second. */
async function fill({ queues }: World, count: number): Promise<void> {
  const queue = queues.queue('work', TRACED);
  for (let at = 1; at <= count; at++) {
    queues.enqueue(queue, `payload ${at}`, { id: `m${at}`, key: at % 2 === 0 ? 'even' : 'odd' });
    await queues.commit();
    queues.clock.advance(1000);
  }
}

function atOf({ queues }: World): string {
  return new Date(queues.clock.now()).toISOString();
}

describe('a search by HTTP', () => {
  test('tells what happened to a message, in every queue that it came to', async () => {
    const world = await start();
    const { queues } = world;
    const dead = queues.queue('dead', TRACED);
    const work = queues.queue('work', { ...TRACED, deadLetter: { queue: 'dead', maxReceives: 5 } });
    const consumer = work.openConsumer('worker-1');
    const enqueuedAt = atOf(world);
    queues.enqueue(work, 'one', { id: 'first', key: 'k', group: 'g' });
    queues.clock.advance(1000);
    const [first] = await queues.take(work, 1, { consumer });
    work.refuse([(first as Delivery).receiptHandle], { delayMs: 2000 });
    await queues.commit();
    queues.clock.advance(2000);
    const [second] = await queues.take(work, 1, { consumer });
    work.reject([(second as Delivery).receiptHandle]);
    await queues.commit();
    await queues.commit();
    const [third] = await queues.take(dead, 1);
    dead.acknowledge([(third as Delivery).receiptHandle]);
    await queues.commit();
    const { messages, endedBy } = await search(world, `${ALL}?id=first&order=oldest-first`);
    expect(endedBy).toBe('end');
    expect(messages).toMatchObject([
      {
        queue: 'work',
        id: 'first',
        state: 'dead-lettered',
        arrivedAt: enqueuedAt,
        leftAt: atOf(world),
        topic: 'a',
        key: 'k',
        group: 'g',
        payload: { encoding: 'text', data: 'one' },
        events: [
          { kind: 'enqueued', at: enqueuedAt, isMoved: false, from: null },
          { kind: 'delivered', to: 'worker-1', attempt: 1 },
          { kind: 'returned', by: 'worker-1', reason: 'refused', delayMs: 2000, attempts: 1 },
          { kind: 'delivered', to: 'worker-1', attempt: 2 },
          { kind: 'dead-lettered', by: 'worker-1', to: 'dead', reason: 'rejected' },
        ],
      },
      {
        queue: 'dead',
        state: 'done',
        enqueuedAt,
        origin: { queue: 'work', reason: 'rejected', receives: 2 },
        events: [
          { kind: 'enqueued', isMoved: true, from: 'work' },
          { kind: 'delivered', to: null, attempt: 1 },
          { kind: 'acknowledged', by: null },
        ],
      },
    ]);
    expect(idsOf(await search(world, `${OF_WORK}?id=first`))).toEqual(['first']);
  });

  test('can be by key, topic and time, in both orders, and a page after the other', async () => {
    const world = await start();
    const startMs = world.queues.clock.now();
    await fill(world, 7);
    const at = (second: number): string => encodeURIComponent(new Date(startMs + 1000 * second).toISOString());
    const found = async (query: string): Promise<string[]> => idsOf(await search(world, `${OF_WORK}?${query}`));
    expect(await found('key=even')).toEqual(['m6', 'm4', 'm2']);
    expect(await found('key=even&order=oldest-first&limit=2')).toEqual(['m2', 'm4']);
    expect(await found('topic=%2B&limit=2')).toEqual(['m7', 'm6']);
    expect(await found('topic=b')).toEqual([]);
    expect(await found(`from=${at(2)}&to=${at(4)}`)).toEqual(['m4', 'm3']);
    const zoned = new Date(startMs + 5000 + 3_600_000).toISOString().replace('Z', '%2B01:00');
    expect(await found(`from=${zoned}`)).toEqual(['m7', 'm6']);
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await search(world, `${ALL}?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.endedBy).toBe(page.cursor === null ? 'end' : 'page');
      paged.push(...idsOf(page));
      cursor = page.cursor;
    }
    expect(paged).toEqual(['m7', 'm6', 'm5', 'm4', 'm3', 'm2', 'm1']);
  });

  test('shows of each payload as much as it was asked for', async () => {
    const world = await start();
    await fill(world, 1);
    const { messages } = await search(world, `${OF_WORK}?payloadBytes=4`);
    expect(messages).toMatchObject([{ payload: { data: 'payl', bytes: 9, isCut: true } }]);
    world.queues.enqueue(world.queues.queue('work'), 'x'.repeat(2000), { id: 'long' });
    await world.queues.commit();
    const [long] = (await search(world, `${OF_WORK}?id=long`)).messages;
    expect(long?.payload).toEqual({ encoding: 'text', data: 'x'.repeat(1024), bytes: 2000, isCut: true });
  });

  test('of a queue that keeps no history says which setting it wants; of all queues, which it left out', async () => {
    const world = await start();
    await fill(world, 1);
    world.queues.queue('plain');
    expect(await world.call('GET', '/api/v1/queues/plain/history')).toMatchObject({
      status: 409,
      body: { code: 'no-history', detail: 'The queue plain keeps no history: set queues.plain.history, such as 3d' },
    });
    expect(await search(world, ALL)).toMatchObject({ messages: [{ id: 'm1' }], queuesWithoutHistory: ['plain'] });
    expect(await world.call('GET', '/api/v1/queues/wrk/history')).toMatchObject({
      status: 404,
      body: { code: 'queue-not-found', detail: 'There is no queue wrk' },
    });
  });

  test('finds what a queue had that is gone', async () => {
    const world = await start();
    await fill(world, 1);
    world.queues.registry.delete('work');
    await world.queues.commit();
    expect(await search(world, OF_WORK)).toMatchObject({
      messages: [
        { id: 'm1', state: 'dropped', events: [{ kind: 'enqueued' }, { kind: 'dropped', reason: 'deleted' }] },
      ],
    });
  });

  test.each([
    ['limit=0', 'limit: expected a whole number from 1 to 100'],
    ['order=random', 'order: expected one of newest-first, oldest-first'],
    ['from=yesterday', /^from: expected a time such as 2026-03-01T12:00:00Z/],
    ['to=2026-02-30T00:00:00Z', /^to: expected a time such as /],
    ['to=2026-02-03T00:00:00+01:00', /the \+ of a time zone is %2B in an address$/],
    ['from=2026-02-03T00:00:00Z&to=2026-02-03T01:00:00%2B01:00', 'from: has to be before to'],
    ['topic=a/%23/b', /^topic: /],
    ['topic=$share/g/a', 'topic: is a filter that is shared'],
    ['id=', 'id: is empty'],
    ['cursor=x', 'cursor: is none of this query'],
    ['cursor=o000000000001', 'cursor: is none of this query'],
    ['ky=1', /ky/],
    ['key=a&key=b', 'key: is given twice'],
  ])('for %s is refused, and the parameter named', async (query, detail) => {
    const world = await start();
    await fill(world, 1);
    const { status, body } = await world.call('GET', `${OF_WORK}?${query}`);
    expect([status, body['code']]).toEqual([400, 'invalid-parameter']);
    expect(body['detail']).toEqual(typeof detail === 'string' ? detail : expect.stringMatching(detail));
  });

  test('is one of a few at a time: devices have their turn, too', async () => {
    const world = await start();
    await fill(world, 1);
    const { registry } = world.queues;
    const run = registry.search.bind(registry);
    const release: (() => void)[] = [];
    registry.search = async (query) => {
      await new Promise<void>((resolve) => void release.push(resolve));
      return await run(query);
    };
    const running = [1, 2, 3, 4].map(() => world.call('GET', ALL));
    while (release.length < 4) await new Promise((resolve) => setImmediate(resolve));
    expect(await world.call('GET', ALL)).toMatchObject({ status: 429, body: { code: 'too-many-searches' } });
    for (const end of release) end();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    registry.search = run;
    expect(idsOf(await search(world, ALL))).toEqual(['m1']);
  });

  test.each([
    [
      'is opened again after a failed write',
      new StoreUnavailable('The store is being opened again'),
      'storage-failing',
    ],
    ['was closed meanwhile', new StoreClosed('The store is closed'), 'stopping'],
  ])('while the store %s is told so, and not logged as a fault of ours', async (_what, error, code) => {
    const world = await start();
    await fill(world, 1);
    world.queues.registry.search = () => Promise.reject(error);
    expect(await world.call('GET', ALL)).toMatchObject({ status: 503, body: { code } });
    expect(world.lines).toEqual([]);
  });
});

describe('one queue', () => {
  test('tells how much history there is of it, and since when', async () => {
    const world = await start();
    await fill(world, 2);
    const queue = world.queues.queue('work');
    queue.acknowledge((await world.queues.take(queue, 1)).map(({ receiptHandle }) => receiptHandle));
    await world.queues.commit();
    const leftAt = atOf(world);
    const { body } = await world.call('GET', '/api/v1/queues/work');
    expect(queueDetail.strict().safeParse(body).error?.issues ?? []).toEqual([]);
    expect(body['history']).toMatchObject({ messages: 1, oldestLeftAt: leftAt, expired: 0, evicted: 0 });
  });
});
