/** The administration of queues by HTTP: what is told of them, and what is done to them. */
import { describe, expect, test } from 'vitest';
import { buildMessage, encodePublishProperties } from '../../../src/codec/message-builder.js';
import { messagePage } from '../../../src/http/message-answer.js';
import { queueDetail, queueList, redriveAnswer } from '../../../src/http/queue-answers.js';
import type { Queue } from '../../../src/queues/queue.js';
import { type HttpReply, HttpWorld, until } from '../../support/http-world.js';
import { messageOf } from '../../support/queue-world.js';

const QUEUES = '/api/v1/queues';

interface Page {
  readonly messages: readonly Record<string, unknown>[];
  readonly cursor: string | null;
}

async function peek(world: HttpWorld, query = '', queue = 'work'): Promise<Page> {
  const { status, body } = await world.call('GET', `${QUEUES}/${queue}/messages${query}`);
  expect(status).toBe(200);
  return body as unknown as Page;
}

function enqueueBytes(world: HttpWorld, queue: Queue, payload: Buffer): void {
  const message = messageOf('');
  message.bytes = Buffer.concat([Buffer.from('a'), payload]);
  message.payloadEnd = message.bytes.length;
  world.queues.registry.enqueue(message, [{ queue, options: {} }]);
}

describe('the list of queues', () => {
  test('has every queue once, a page after the other, in order of their names', async () => {
    const world = await HttpWorld.start();
    for (const name of ['b', 'a', 'd', 'c', 'B']) world.queues.queue(name);
    const names: unknown[] = [];
    for (let cursor: unknown = ''; cursor !== null; ) {
      const { body } = await world.call('GET', `${QUEUES}?limit=2&cursor=${cursor}`);
      const queues = body['queues'] as { name: string }[];
      expect(queues.length).toBeLessThanOrEqual(2);
      names.push(...queues.map(({ name }) => name));
      cursor = body['cursor'];
    }
    expect(names).toEqual(['B', 'a', 'b', 'c', 'd']);
  });

  test('says what is in them', async () => {
    const world = await HttpWorld.start();
    world.queues.queue('dead');
    const queue = world.queues.queue('work', { deadLetter: { queue: 'dead', maxReceives: 3 } });
    for (const payload of ['one', 'two', 'three']) world.queues.enqueue(queue, payload);
    world.queues.take(queue, 1);
    world.queues.clock.advance(5000);
    const { body } = await world.call('GET', QUEUES);
    expect(body).toMatchObject({
      queues: [
        { name: 'dead', type: 'standard', deadLetterQueue: null, statistics: { ready: 0 } },
        { name: 'work', deadLetterQueue: 'dead', statistics: { ready: 2, inFlight: 1, delayed: 0, oldestAgeMs: 5000 } },
      ],
      cursor: null,
      damaged: [],
    });
  });
});

describe('one queue', () => {
  test('is told with its options, and with what has become of its messages', async () => {
    const world = await HttpWorld.start();
    const dead = world.queues.queue('dead');
    const queue = world.queues.queue('work', { deadLetter: { queue: 'dead', maxReceives: 3 }, maxMessages: 2 });
    for (const payload of ['one', 'two', 'three']) world.queues.enqueue(queue, payload);
    queue.acknowledge(world.queues.take(queue, 1).map(({ receiptHandle }) => receiptHandle));
    expect((await world.call('GET', `${QUEUES}/work`)).body).toMatchObject({
      name: 'work',
      options: { maxMessages: 2, visibilityTimeoutMs: 30_000 },
      counters: {
        enqueued: 2,
        acknowledged: 1,
        dropped: { purged: 0, expired: 0 },
        refused: { 'queue-full': 1 },
        missing: 0,
      },
      sources: [],
      redrive: null,
      history: { messages: 0, bytes: 0, oldestLeftAt: null, expired: 0, evicted: 0 },
    });
    expect((await world.call('GET', `${QUEUES}/${dead.name}`)).body).toMatchObject({ sources: ['work'] });
  });
});

describe('a look at messages', () => {
  test('takes none, and shows what the queue knows of each', async () => {
    const world = await HttpWorld.start();
    const queue = world.queues.queue('work');
    world.queues.enqueue(queue, 'one', { id: 'first', group: 'g', priority: 4, key: 'k', attributes: [['a', 'b']] });
    world.queues.enqueue(queue, 'two', { delayMs: 60_000 });
    world.queues.enqueue(queue, 'three');
    world.queues.take(queue, 1);
    const enqueuedAt = new Date(world.queues.clock.now()).toISOString();
    const { messages, cursor } = await peek(world);
    expect(cursor).toBeNull();
    expect(messages).toMatchObject([
      {
        id: 'first',
        sequence: 1,
        state: 'in-flight',
        attempts: 1,
        topic: 'a',
        group: 'g',
        priority: 4,
        key: 'k',
        attributes: [['a', 'b']],
        enqueuedAt,
        firstReceivedAt: enqueuedAt,
        firstFailedAt: null,
        origin: null,
        payload: { encoding: 'text', data: 'one', bytes: 3, isCut: false },
      },
      { state: 'delayed', dueAt: new Date(world.queues.clock.now() + 60_000).toISOString(), attempts: 0 },
      { state: 'ready', dueAt: null },
    ]);
    expect(queue.statistics).toMatchObject({ ready: 1, inFlight: 1, delayed: 1 });
  });

  test('goes on where the page before ended, and can be for one state or group', async () => {
    const world = await HttpWorld.start();
    const queue = world.queues.queue('work');
    for (let at = 1; at <= 5; at++) world.queues.enqueue(queue, String(at), { group: at % 2 === 0 ? 'even' : 'odd' });
    world.queues.take(queue, 1);
    const sequences: unknown[] = [];
    for (let cursor: string | null = '0'; cursor !== null; ) {
      const page = await peek(world, `?limit=2&cursor=${cursor}`);
      sequences.push(...page.messages.map(({ sequence }) => sequence));
      cursor = page.cursor;
    }
    expect(sequences).toEqual([1, 2, 3, 4, 5]);
    const shown = async (query: string) => (await peek(world, query)).messages.map(({ sequence }) => sequence);
    expect(await shown('?state=in-flight')).toEqual([1]);
    expect(await shown('?group=even')).toEqual([2, 4]);
    expect(await shown('?state=delayed')).toEqual([]);
  });

  test('shows a payload as text if it is, else as base64, and cuts a long one between characters', async () => {
    const world = await HttpWorld.start();
    const queue = world.queues.queue('work');
    enqueueBytes(world, queue, Buffer.from('Grüße'));
    enqueueBytes(world, queue, Buffer.from([0xff, 0x00, 0x01]));
    enqueueBytes(world, queue, Buffer.alloc(0));
    const payloads = async (query: string) => (await peek(world, query)).messages.map(({ payload }) => payload);
    expect(await payloads('')).toEqual([
      { encoding: 'text', data: 'Grüße', bytes: 7, isCut: false },
      { encoding: 'base64', data: '/wAB', bytes: 3, isCut: false },
      { encoding: 'text', data: '', bytes: 0, isCut: false },
    ]);
    // The third byte is the first half of ü.
    expect(await payloads('?payloadBytes=3')).toMatchObject([
      { encoding: 'text', data: 'Gr', bytes: 7, isCut: true },
      { encoding: 'base64', data: '/wAB', isCut: false },
      { isCut: false },
    ]);
    expect(await payloads('?payloadBytes=2')).toMatchObject([
      { encoding: 'text', data: 'Gr', isCut: true },
      { encoding: 'base64', data: '/wA=', bytes: 3, isCut: true },
      {},
    ]);
  });

  test('shows the properties of MQTT 5', async () => {
    const world = await HttpWorld.start();
    const queue = world.queues.queue('work');
    const properties = encodePublishProperties({
      contentType: 'text/plain',
      correlationData: Buffer.from([1, 2]),
      userProperties: [['unit', '°C']],
    });
    const message = buildMessage({
      topic: 'greenhouse/1',
      payload: Buffer.from('21'),
      qos: 1,
      retain: false,
      properties,
      publisherId: 'station-1',
      nowMs: world.queues.clock.now(),
    });
    world.queues.registry.enqueue(message, [{ queue, options: {} }]);
    expect((await peek(world)).messages).toMatchObject([
      {
        topic: 'greenhouse/1',
        publisher: 'station-1',
        properties: { contentType: 'text/plain', correlationData: 'AQI=', userProperties: [['unit', '°C']] },
      },
    ]);
  });

  test.each([
    ['?limit=101', 'limit: expected a whole number from 1 to 100'],
    ['?state=gone', 'state: expected one of ready, in-flight, delayed'],
    ['?cursor=x', 'cursor: expected a cursor that a page before has given'],
    ['?payloadBytes=1048577', 'payloadBytes: expected a whole number from 0 to 1048576'],
  ])('with %s is refused', async (query, detail) => {
    const world = await HttpWorld.start();
    world.queues.queue('work');
    const reply = await world.call('GET', `${QUEUES}/work/messages${query}`);
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid-parameter', detail } });
  });
});

/** An answer that is on its way. */
function pending(reply: Promise<HttpReply>): { isAnswered: boolean; readonly reply: Promise<HttpReply> } {
  const call = { isAnswered: false, reply };
  void reply.then(() => {
    call.isAnswered = true;
  });
  return call;
}

describe('a purge', () => {
  test('gives up all messages, and is answered when that is on the disk', async () => {
    const world = await HttpWorld.start();
    const queue = world.queues.queue('work');
    for (const payload of ['one', 'two', 'three']) world.queues.enqueue(queue, payload);
    world.queues.take(queue, 1);
    const call = pending(world.call('POST', `${QUEUES}/work/purge`));
    await until(() => queue.statistics.ready === 0);
    // Another request that came later has its answer.
    await world.call('GET', QUEUES);
    expect(call.isAnswered).toBe(false);
    world.queues.log.commit();
    expect(await call.reply).toMatchObject({ status: 200, body: { queue: 'work', purged: 3 } });
    world.queues.crash();
    expect(world.queues.get('work').statistics.ready).toBe(0);
    expect(world.lines.join('')).toContain('"queue":"work","purged":3,"msg":"a queue was purged"');
  });

  test('that the disk does not take is told so in the end', async () => {
    const world = await HttpWorld.start();
    const queue = world.queues.queue('work');
    world.queues.enqueue(queue, 'one');
    const call = world.call('POST', `${QUEUES}/work/purge`);
    await until(() => queue.statistics.ready === 0);
    world.queues.clock.advance(10_000);
    expect(await call).toMatchObject({ status: 503, body: { code: 'not-stored' } });
    // Its answer has left: what comes later changes nothing.
    world.queues.log.commit();
    expect((await world.call('GET', QUEUES)).status).toBe(200);
  });

  test('of a queue that is not there is refused', async () => {
    const world = await HttpWorld.start();
    expect(await world.call('POST', `${QUEUES}/work/purge`)).toMatchObject({
      status: 404,
      body: { code: 'queue-not-found', detail: 'There is no queue work' },
    });
  });
});

/** Two dead letters of `work` in `dead`. */
async function startWithDeadLetters(): Promise<HttpWorld> {
  const world = await HttpWorld.start();
  world.queues.queue('dead');
  const work = world.queues.queue('work', { deadLetter: { queue: 'dead', maxReceives: 1 } });
  for (const payload of ['one', 'two']) world.queues.enqueue(work, payload, { id: payload });
  work.reject(world.queues.take(work).map(({ receiptHandle }) => receiptHandle));
  world.queues.log.commit();
  expect(world.queues.get('dead').statistics.ready).toBe(2);
  return world;
}

async function startRedrive(world: HttpWorld, body: object): Promise<HttpReply> {
  const { queues } = world;
  const call = pending(world.call('POST', `${QUEUES}/dead/redrive`, body));
  while (!call.isAnswered) {
    queues.log.commit();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await call.reply;
}

describe('a redrive', () => {
  test('brings dead letters back to where they came from, and says how far it has come', async () => {
    const world = await startWithDeadLetters();
    const { clock, log } = world.queues;
    const path = `${QUEUES}/dead/redrive`;
    expect(await world.call('GET', path)).toMatchObject({ status: 404, body: { code: 'redrive-not-found' } });
    expect(await startRedrive(world, { perSecond: 10 })).toMatchObject({
      status: 202,
      body: { state: 'running', target: null, total: 2 },
    });
    for (let turn = 0; turn < 20; turn++) {
      clock.advance(100);
      log.commit();
    }
    expect(await world.call('GET', path)).toMatchObject({ status: 200, body: { state: 'completed', moved: 2 } });
    expect(world.queues.get('work').statistics.ready).toBe(2);
    expect((await world.call('GET', `${QUEUES}/dead`)).body).toMatchObject({ redrive: { state: 'completed' } });
  });

  test('can be for another queue, and be cancelled; a second one has to wait', async () => {
    const world = await startWithDeadLetters();
    const path = `${QUEUES}/dead/redrive`;
    world.queues.queue('elsewhere');
    expect(await world.call('DELETE', path)).toMatchObject({ status: 409, body: { code: 'redrive-not-running' } });
    expect(await startRedrive(world, { target: 'elsewhere', perSecond: 0.001 })).toMatchObject({
      body: { target: 'elsewhere' },
    });
    expect(await world.call('POST', path, {})).toMatchObject({ status: 409, body: { code: 'redrive-running' } });
    expect(await world.call('DELETE', path)).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  });

  test('can be of chosen messages', async () => {
    const world = await startWithDeadLetters();
    expect(await startRedrive(world, { ids: ['two', 'gone'] })).toMatchObject({ status: 202, body: { total: 2 } });
    for (let turn = 0; turn < 20; turn++) {
      world.queues.clock.advance(100);
      world.queues.log.commit();
    }
    const { body } = await world.call('GET', `${QUEUES}/dead/redrive`);
    expect(body).toMatchObject({ state: 'failed', moved: 1, failed: 1, left: 0 });
    expect((await peek(world)).messages).toMatchObject([{ id: 'two' }]);
    const none = await world.call('POST', `${QUEUES}/dead/redrive`, { ids: [] });
    expect(none).toMatchObject({ status: 422, body: { code: 'invalid-body' } });
  });

  test('to a queue that is not there is refused', async () => {
    const world = await startWithDeadLetters();
    expect(await world.call('POST', `${QUEUES}/dead/redrive`, { target: 'nowhere' })).toMatchObject({
      status: 404,
      body: { code: 'queue-not-found', detail: 'There is no queue nowhere' },
    });
  });
});

test('every answer is as its schema describes it', async () => {
  const world = await startWithDeadLetters();
  const replies = [
    [queueList, await world.call('GET', QUEUES)],
    [messagePage, await world.call('GET', `${QUEUES}/dead/messages`)],
    [redriveAnswer, await startRedrive(world, {})],
    [queueDetail, await world.call('GET', `${QUEUES}/dead`)],
  ] as const;
  for (const [schema, { body }] of replies) expect(schema.strict().safeParse(body).error?.issues ?? []).toEqual([]);
});
