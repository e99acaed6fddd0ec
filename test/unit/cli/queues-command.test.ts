/** `millrace queues …` with somebody, or nobody, at the terminal. */
import { describe, expect, test } from 'vitest';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { type QueuesMisuse, runQueuesCommand } from '../../../src/cli/queues-command.js';
import { HttpWorld, TOKEN } from '../../support/http-world.js';

const settings = settingsSchema.parse({ http: { adminToken: TOKEN }, storage: { durability: 'memory' } });

interface Attended {
  readonly outcome: boolean | QueuesMisuse;
  readonly printed: string;
  readonly asked: readonly string[];
}

/** @param answer of whoever is asked; null if there is nobody */
async function run(world: HttpWorld, line: string, answer: boolean | null): Promise<Attended> {
  const [command = '', operand, ...flags] = line.split(' ');
  const asked: string[] = [];
  let printed = '';
  let isEnded = false;
  const running = runQueuesCommand(
    {
      command: `queues ${command}`,
      operand,
      options: new Map([['url', world.service.url]]),
      switches: new Set(flags.map((flag) => flag.slice(2))),
    },
    settings,
    {
      print: (text) => {
        printed += text;
      },
      confirm: (question) => {
        asked.push(question);
        return answer === null ? null : Promise.resolve(answer);
      },
      nowMs: () => world.queues.clock.now(),
      sleep: async () => world.queues.clock.advance(100),
    },
  ).finally(() => {
    isEnded = true;
  });
  while (!isEnded) {
    world.queues.log.commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { outcome: await running, printed, asked };
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
