/** Queues whose definition cannot be read, by HTTP: they are shown, and can be given up. */
import { describe, expect, test } from 'vitest';
import { queueList } from '../../../src/http/queue-answers.js';
import { HttpWorld, until } from '../../support/http-world.js';
import { QueueWorld } from '../../support/queue-world.js';

describe('a queue whose definition is damaged', () => {
  const DAMAGED = '/api/v1/damaged-queues';

  async function startWithDamage(): Promise<{ world: HttpWorld; number: number }> {
    const queues = new QueueWorld();
    queues.queue('whole');
    const queue = queues.queue('work');
    for (const payload of ['one', 'two']) queues.enqueue(queue, payload);
    queues.log.queueSaved(queue.number, Buffer.from('{"name'));
    queues.log.commit();
    queues.crash();
    return { world: await HttpWorld.over(queues), number: queue.number };
  }

  test('is listed with the messages that are kept of it, on each page', async () => {
    const { world, number } = await startWithDamage();
    world.queues.queue('another');
    const { body } = await world.call('GET', '/api/v1/queues?limit=1');
    expect(queueList.strict().safeParse(body).error?.issues ?? []).toEqual([]);
    expect(body).toMatchObject({
      queues: [{ name: 'another' }],
      cursor: 'another',
      damaged: [{ number, messages: 2 }],
    });
  });

  test('is given up by its number, and the answer comes when that is on the disk', async () => {
    const { world, number } = await startWithDamage();
    let isAnswered = false;
    const call = world.call('DELETE', `${DAMAGED}/${number}`).then((reply) => {
      isAnswered = true;
      return reply;
    });
    await until(() => world.queues.registry.quarantined.length === 0);
    await world.call('GET', '/api/v1/queues');
    expect(isAnswered).toBe(false);
    world.queues.log.commit();
    expect(await call).toMatchObject({ status: 200, body: { number, messages: 2 } });
    expect(world.lines.join('')).toContain(`"number":${number},"messages":2,"msg":"a damaged queue was given up"`);
    world.queues.crash();
    expect(world.queues.registry.quarantined).toEqual([]);
  });

  test.each(['9999', '0', 'work', '1e0', ' 1', '-1', '__proto__'])('has no number %j', async (number) => {
    const { world } = await startWithDamage();
    expect(await world.call('DELETE', `${DAMAGED}/${encodeURIComponent(number)}`)).toMatchObject({
      status: 404,
      body: { code: 'queue-not-found', detail: `There is no damaged queue with the number ${number}` },
    });
    expect(world.queues.registry.quarantined).toHaveLength(1);
  });
});
