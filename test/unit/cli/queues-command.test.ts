/** `millrace queues …` with somebody, or nobody, at the terminal. */
import { describe, expect, test } from 'vitest';
import { HttpWorld } from '../../support/http-world.js';
import { runQueues } from '../../support/queues-console.js';
import { LevelQueueWorld } from '../../support/stored-queue-world.js';

async function run(world: HttpWorld, line: string, answer: boolean | null) {
  return await runQueues(world, line, { answer, commit: () => world.queues.log.commit() });
}

async function startWithWork(): Promise<HttpWorld> {
  const world = await HttpWorld.start();
  const queue = world.queues.queue('work');
  for (const payload of ['one', 'two']) world.queues.enqueue(queue, payload);
  return world;
}

describe('a purge', () => {
  test('asks first, and does nothing without a yes', async () => {
    const world = await startWithWork();
    expect(await run(world, 'purge work', false)).toEqual({
      outcome: false,
      printed: 'nothing was done\n',
      asked: ['Give up all 2 messages of work, for good? (yes/no) '],
    });
    expect(world.queues.get('work').statistics.ready).toBe(2);
    expect(await run(world, 'purge work', true)).toMatchObject({
      outcome: true,
      printed: '2 messages of work are gone\n',
    });
    expect(world.queues.get('work').statistics.ready).toBe(0);
  });

  test('asks nobody with --yes, and is misuse where nobody can be asked', async () => {
    const world = await startWithWork();
    expect(await run(world, 'purge work', null)).toMatchObject({ outcome: { reason: expect.any(String) } });
    expect(world.queues.get('work').statistics.ready).toBe(2);
    expect(await run(world, 'purge work --yes', null)).toMatchObject({ outcome: true, asked: [] });
    expect(world.queues.get('work').statistics.ready).toBe(0);
  });
});

describe('a queue whose definition is damaged', () => {
  async function startWithDamage(): Promise<{ world: HttpWorld; number: number }> {
    const world = await startWithWork();
    const { number } = world.queues.get('work');
    world.queues.log.queueSaved(number, Buffer.from('{"name'));
    world.queues.log.commit();
    world.queues.crash();
    world.serve();
    return { world, number };
  }

  test('is listed with what is kept of it, and with what to do', async () => {
    const { world, number } = await startWithDamage();
    const { printed } = await run(world, 'ls', null);
    expect(printed).toBe(
      `there are no queues\nthe definition of queue number ${number} is damaged: nobody can use it, and its 2 messages are kept. Start with a copy of the data directory in which it is whole, or give it up: millrace queues give-up ${number}\n`,
    );
    expect(JSON.parse((await run(world, 'ls --json', null)).printed)).toEqual({
      queues: [],
      damaged: [{ number, messages: 2 }],
    });
  });

  test('is given up by whoever says yes, and by nobody else', async () => {
    const { world, number } = await startWithDamage();
    const { registry } = world.queues;
    expect(await run(world, `give-up ${number}`, false)).toEqual({
      outcome: false,
      printed: 'nothing was done\n',
      asked: [`Give up the damaged queue ${number} with its 2 messages, for good? (yes/no) `],
    });
    expect(await run(world, `give-up ${number}`, null)).toMatchObject({
      outcome: { reason: 'queues give-up asks on a terminal only: say --yes' },
    });
    expect(registry.quarantined).toHaveLength(1);
    expect(await run(world, `give-up ${number} --yes`, null)).toEqual({
      outcome: true,
      printed: `the damaged queue ${number} is gone, with 2 messages\n`,
      asked: [],
    });
    expect(registry.quarantined).toEqual([]);
  });

  test('has to be one that is there', async () => {
    const { world } = await startWithDamage();
    const refusal = 'There is no damaged queue with the number work';
    await expect(run(world, 'give-up work', true)).rejects.toThrow(refusal);
    await expect(run(world, 'give-up work --yes', null)).rejects.toThrow(refusal);
    expect(world.queues.registry.quarantined).toHaveLength(1);
  });
});

test('what is kept of messages that have left is shown with their queue', async () => {
  const queues = await LevelQueueWorld.open();
  const world = await HttpWorld.over(queues);
  const queue = queues.queue('work', { historyMs: 60_000 });
  queues.enqueue(queue, 'one');
  queue.acknowledge((await queues.take(queue)).map(({ receiptHandle }) => receiptHandle));
  await queues.commit();
  const { printed } = await runQueues(world, 'show work', { answer: null, commit: () => {} });
  expect(printed).toMatch(
    /\n {2}history of messages that have left\n {5}messages +1\n {5}bytes +\d+\n {5}oldestLeftAt +2027-/,
  );
});

describe('a redrive that is waited for', () => {
  test('that does not complete is a failure, and says why', async () => {
    const world = await startWithWork();
    // Nobody has moved these here: they come from nowhere.
    expect(await run(world, 'redrive work --wait', null)).toMatchObject({
      outcome: false,
      printed: 'redrive failed: 0 of 2 messages moved to where they came from, 2 could not be moved\n',
    });
  });
});

test('a list of no queues, and a page of no messages, say so', async () => {
  const world = await HttpWorld.start();
  expect((await run(world, 'ls', null)).printed).toBe('there are no queues\n');
  world.queues.queue('work');
  expect((await run(world, 'peek work', null)).printed).toBe('no messages\n');
});
