/** `millrace queues search` over real HTTP: what is found, how it is shown, and what cannot be asked. */
import { describe, expect, test } from 'vitest';
import { AdminMisuse } from '../../../src/cli/admin-request.js';
import type { TraceAnswer } from '../../../src/http/trace-answer.js';
import type { Delivery } from '../../../src/queues/delivery.js';
import { HttpWorld } from '../../support/http-world.js';
import { runQueues } from '../../support/queues-console.js';
import { LevelQueueWorld, type StoredQueueWorld } from '../../support/stored-queue-world.js';

const TRACED = { historyMs: 86_400_000 };

type World = HttpWorld<StoredQueueWorld>;

async function start(): Promise<World> {
  return await HttpWorld.over(await LevelQueueWorld.open());
}

async function run(world: World, line: string) {
  return await runQueues(world, `search ${line}`.trim(), { answer: null, commit: () => {} });
}

async function printed(world: World, line: string): Promise<string> {
  const { outcome, printed: text } = await run(world, line);
  expect(outcome).toBe(true);
  return text;
}

/** `count` messages, one a minute; the first one came at the time that is returned. */
async function fill({ queues }: World, count: number, name = 'work'): Promise<number> {
  const queue = queues.queue(name, TRACED);
  const startMs = queues.clock.now();
  for (let at = 1; at <= count; at++) {
    queues.enqueue(queue, `payload ${at}`, { id: `${name}-${at}`, key: at % 2 === 0 ? 'even' : 'odd' });
    if (at % 50 === 0 || at === count) await queues.commit();
    queues.clock.advance(60_000);
  }
  return startMs;
}

async function idsFound(world: World, line: string): Promise<string[]> {
  const answer = JSON.parse(await printed(world, `${line} --json`)) as TraceAnswer;
  return answer.messages.map(({ id }) => id);
}

describe('a search', () => {
  test('shows a line for each thing that happened to a message', async () => {
    const world = await start();
    const { queues } = world;
    const dead = queues.queue('dead', TRACED);
    const work = queues.queue('work', { ...TRACED, deadLetter: { queue: 'dead', maxReceives: 5 } });
    const consumer = work.openConsumer('worker-1\u001b[2J');
    queues.enqueue(work, '{"celsius":\n21.5}', { id: 'first', key: 'k', group: 'g' });
    queues.clock.advance(1000);
    const [first] = await queues.take(work, 1, { consumer });
    work.refuse([(first as Delivery).receiptHandle], { delayMs: 2000 });
    await queues.commit();
    queues.clock.advance(2000);
    const [second] = await queues.take(work, 1, { consumer });
    work.reject([(second as Delivery).receiptHandle]);
    await queues.commit();
    await queues.commit();
    queues.clock.advance(500);
    const [third] = await queues.take(dead, 1);
    dead.acknowledge([(third as Delivery).receiptHandle]);
    await queues.commit();
    expect(await printed(world, '--id first --order oldest-first')).toBe(`first in work: dead-lettered
  -                         published to a, key k, group g: {"celsius": 21.5}
  2027-01-15T08:00:00.000Z  enqueued
  2027-01-15T08:00:01.000Z  delivered to worker-1\ufffd[2J, attempt 1
  2027-01-15T08:00:01.000Z  refused by worker-1\ufffd[2J, back after 2s
  2027-01-15T08:00:03.000Z  delivered to worker-1\ufffd[2J, attempt 2
  2027-01-15T08:00:03.000Z  dead-lettered to dead: rejected by worker-1\ufffd[2J

first in dead: done
  -                         published to a, key k, group g: {"celsius": 21.5}
  2027-01-15T08:00:03.000Z  enqueued, as a dead letter of work
  2027-01-15T08:00:03.500Z  delivered, attempt 1
  2027-01-15T08:00:03.500Z  acknowledged

`);
  });

  test('takes times as they are written, and how long ago', async () => {
    const world = await start();
    const startMs = await fill(world, 6);
    const time = new Date(startMs + 120_000).toISOString();
    expect(time).toBe('2027-01-15T08:02:00.000Z');
    expect(await idsFound(world, 'work --from 2027-01-15T08:04')).toEqual(['work-6', 'work-5']);
    expect(await idsFound(world, "work --from '2027-01-15 08:03:30' --to 2027-01-15T08:05Z")).toEqual(['work-5']);
    expect(await idsFound(world, 'work --from 2027-01-15T10:04+02:00 --limit 1')).toEqual(['work-6']);
    expect(await idsFound(world, 'work --from 2027-01-15 --to 2m')).toEqual(['work-4', 'work-3', 'work-2', 'work-1']);
    expect(await idsFound(world, "work --from '1m30s ago'")).toEqual(['work-6']);
    expect(await idsFound(world, 'work --to 2027-01-15')).toEqual([]);
    expect(await idsFound(world, 'work --from 366000d --key even')).toEqual(['work-6', 'work-4', 'work-2']);
  });

  test('prints a payload whole for programs, and its beginning for people', async () => {
    const world = await start();
    const payload = 'x'.repeat(5000);
    world.queues.enqueue(world.queues.queue('work', TRACED), payload, { id: 'long' });
    await world.queues.commit();
    const answer = JSON.parse(await printed(world, '--id long --json')) as TraceAnswer;
    expect(answer.messages[0]?.payload).toEqual({ encoding: 'text', data: payload, bytes: 5000, isCut: false });
    expect(await printed(world, '--id long')).toMatch(/: x{60}… \(5000 bytes\)\n/);
  });

  test('goes on over as many pages as it takes, and says where it has ended', async () => {
    const world = await start();
    await fill(world, 250);
    await fill(world, 5, 'other');
    const all = await idsFound(world, '--limit 300 --order oldest-first');
    expect(all).toHaveLength(255);
    expect(new Set(all).size).toBe(255);
    expect(await idsFound(world, 'work --topic a --limit 130')).toHaveLength(130);
    const text = await printed(world, 'work --limit 2');
    expect(text.match(/^work-\d+ in work: ready$/gm)).toEqual(['work-250 in work: ready', 'work-249 in work: ready']);
    const cursor = /there may be more: --cursor (\w+)\n$/.exec(text)?.[1];
    expect(await idsFound(world, `work --limit 2 --cursor ${cursor}`)).toEqual(['work-248', 'work-247']);
    expect(await printed(world, 'work --limit 250')).not.toContain('there may be more');
  });

  test('goes on when the broker has ended one early, until there is nothing more', async () => {
    const world = await start();
    await fill(world, 3);
    const { registry } = world.queues;
    const search = registry.search.bind(registry);
    const cursors: (string | undefined)[] = [];
    registry.search = async (query) => {
      cursors.push(query.cursor);
      const page = await search({ ...query, limit: 1 });
      return { ...page, endedBy: page.cursor === null ? 'end' : 'budget' };
    };
    expect(await idsFound(world, 'work --key odd --limit 5')).toEqual(['work-3', 'work-1']);
    expect(cursors.length).toBeGreaterThan(1);
    expect(cursors[0]).toBeUndefined();
  });

  test('says that nothing was found, and where it could not look', async () => {
    const world = await start();
    await fill(world, 1);
    for (let at = 10; at < 22; at++) world.queues.queue(`plain-${at}`);
    expect(await printed(world, '--id nothing')).toBe(
      `no messages found\nnot searched, since they keep no history (queues.NAME.history): ${Array.from(
        { length: 10 },
        (_, at) => `plain-${at + 10}`,
      ).join(', ')} and 2 more\n`,
    );
    await expect(run(world, 'plain-10')).rejects.toThrow(
      'The queue plain-10 keeps no history: set queues.plain-10.history, such as 3d',
    );
    await expect(run(world, 'wrk')).rejects.toThrow('There is no queue wrk - did you mean "work"?');
  });

  test.each([
    [
      '--from yesterday',
      'flag --from: expected a time such as 2026-03-01T12:00 (UTC), or how long ago, such as 2h, found "yesterday"',
    ],
    ['--to 2026-02-30', /^flag --to: expected a time such as /],
    ['--from 2026', /^flag --from: /],
    ['--from 2026-01-01T25:00', /^flag --from: /],
    ['--limit 0', 'flag --limit: expected a whole number from 1 to 10000, found "0"'],
    ['--limit many', /^flag --limit: /],
  ])('with %s is misuse', async (flags, reason) => {
    const world = await start();
    const { outcome, printed: text } = await run(world, flags);
    expect(outcome).toBeInstanceOf(AdminMisuse);
    expect(text).toBe('');
    expect((outcome as AdminMisuse).reason).toEqual(
      typeof reason === 'string' ? reason : expect.stringMatching(reason),
    );
  });

  test('that the broker refuses is told in its words', async () => {
    const world = await start();
    await fill(world, 1);
    await expect(run(world, '--order random')).rejects.toMatchObject({
      problem: 'invalid-parameter',
      message: 'order: expected one of newest-first, oldest-first',
    });
    await expect(run(world, '--from 1h --to 2h')).rejects.toMatchObject({
      problem: 'invalid-parameter',
      message: 'from: has to be before to',
    });
    await expect(run(world, '--topic a/#/b')).rejects.toMatchObject({ problem: 'invalid-parameter' });
  });
});
