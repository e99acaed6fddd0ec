/** Several messages in one request to a webhook: real servers on this machine, and a clock that the test turns. */

import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { PushTarget } from '../../src/bridge/push/push-target.js';
import { until } from '../support/http-world.js';
import { PushBroker, type PushBrokerOptions } from '../support/push-broker.js';
import { pushTo, type ReceivedRequest, WebhookTarget } from '../support/webhook-target.js';

const BATCH = { maxMessages: 100, maxBytes: 64 * 1024 };

interface Item {
  readonly id: string;
  readonly payload: string;
  readonly [name: string]: unknown;
}

function itemsOf(request: ReceivedRequest | undefined): Item[] {
  return JSON.parse(request?.text ?? '[]') as Item[];
}

function payloadsOf(request: ReceivedRequest | undefined): string[] {
  return itemsOf(request).map(({ payload }) => payload);
}

/** One request at a time, of which the first one waits: what is published meanwhile comes in the next one, or ones. */
class BatchWorld {
  readonly target: WebhookTarget;
  readonly broker: PushBroker;
  #first: ServerResponse | null = null;

  private constructor(target: WebhookTarget, broker: PushBroker) {
    this.target = target;
    this.broker = broker;
  }

  static async start(
    options: Partial<PushTarget> = {},
    brokerOptions: Omit<PushBrokerOptions, 'targets'> = {},
  ): Promise<BatchWorld> {
    const target = await WebhookTarget.start();
    const targets = pushTo(target.url, { batch: BATCH, concurrency: 1, ...options });
    const world = new BatchWorld(target, await PushBroker.start({ ...brokerOptions, targets }));
    target.answering = (_, response) => {
      world.#first = response;
    };
    world.broker.queues.publish('t/first', 'first');
    await target.received(1);
    return world;
  }

  /** The first request is answered; all others as `answering` says. */
  go(answering: (request: ReceivedRequest, response: ServerResponse) => void = done): void {
    this.target.answering = answering;
    this.#first?.writeHead(204).end();
  }

  /** Requests but for the first. */
  async next(count: number): Promise<readonly ReceivedRequest[]> {
    return (await this.target.received(count + 1)).slice(1);
  }
}

function done(_: ReceivedRequest, response: ServerResponse): void {
  response.writeHead(204).end();
}

describe('a batch', () => {
  it('is a list of messages, all of which a 2xx acknowledges', async () => {
    const world = await BatchWorld.start({}, { rules: [{ group: { topicLevel: 2 } }] });
    world.broker.queues.publish('t/1', 'one');
    world.broker.queues.test.broker.publish({ topic: 't/2', payload: Buffer.from([0xff]), qos: 1, contentType: 'x/y' });
    world.broker.queues.publish('t/3', 'three');
    world.go();
    const [request] = await world.next(1);
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'q-queue': 'q' });
    const common = { queue: 'q', attempt: 1, enqueued: world.broker.clock.now() };
    expect(itemsOf(request)).toMatchObject([
      { ...common, topic: 't/1', group: '1', payload: 'one' },
      { ...common, topic: 't/2', group: '2', payloadBase64: '/w==', contentType: 'x/y' },
      { ...common, topic: 't/3', group: '3', payload: 'three' },
    ]);
    await world.broker.emptied();
    expect(world.broker.push()).toMatchObject({ requests: 2, delivered: 4, inFlight: 0 });
  });

  it('is signed as a whole, under an id of its own', async () => {
    const secret = Buffer.alloc(32, 1);
    const world = await BatchWorld.start({ secrets: [secret] });
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    world.go();
    const [request] = await world.next(1);
    const { headers, body } = request as ReceivedRequest;
    const content = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]);
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', secret).update(content).digest('base64')}`);
    expect(itemsOf(request).map(({ id }) => id)).not.toContain(headers['webhook-id']);
  });

  it('has the same id when it comes again uncounted, and another one with other messages', async () => {
    const world = await BatchWorld.start();
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    const ids: unknown[] = [];
    world.go(({ headers }, response) => {
      ids.push(headers['webhook-id']);
      if (ids.length === 1) response.writeHead(503, { 'retry-after': '1' }).end();
      else response.writeHead(204).end();
    });
    await world.broker.returned(2);
    // A target that was asked to wait is tried with one message.
    world.broker.clock.advance(1000);
    await world.broker.emptied();
    expect(new Set(ids).size).toBe(3);
    expect(world.broker.push()).toMatchObject({ throttled: 1, delivered: 3 });
  });

  it('is a list of CloudEvents in their JSON format, if the target wants that', async () => {
    const world = await BatchWorld.start({ format: 'cloudevents' }, { rules: [{ group: { topicLevel: 2 } }] });
    const { broker } = world.broker.queues.test;
    broker.publish({ topic: 't/1', payload: '{"n":1.00000000000000000001}', qos: 1, contentType: 'application/json' });
    broker.publish({ topic: 't/2', payload: '{"n":', qos: 1, contentType: 'application/json' });
    broker.publish({ topic: 't/3', payload: 'grün', qos: 1, contentType: 'text/plain' });
    broker.publish({ topic: 't/4', payload: Buffer.from([0xff, 0]), qos: 1 });
    world.go();
    const [request] = await world.next(1);
    expect(request?.headers).toMatchObject({ 'content-type': 'application/cloudevents-batch+json' });
    expect(request?.headers['q-queue']).toBeUndefined();
    // No digit is lost by being read and written again.
    expect(request?.text).toContain('"data":{"n":1.00000000000000000001}');
    const time = new Date(world.broker.clock.now()).toISOString();
    const common = { specversion: '1.0', source: '/queues/q', type: 'millrace.message', time, attempt: 1 };
    expect(itemsOf(request)).toMatchObject([
      { ...common, subject: 't/1', partitionkey: '1', datacontenttype: 'application/json', data: { n: 1 } },
      { ...common, subject: 't/2', data_base64: Buffer.from('{"n":').toString('base64') },
      { ...common, subject: 't/3', datacontenttype: 'text/plain', data: 'grün' },
      { ...common, subject: 't/4', datacontenttype: 'application/octet-stream', data_base64: '/wA=' },
    ]);
  });

  it('has so many messages, and so many bytes, at most', async () => {
    const world = await BatchWorld.start({ batch: { maxMessages: 3, maxBytes: 2000 } });
    for (const payload of ['1', '2', '3', '4']) world.broker.queues.publish('t/1', payload);
    for (const size of [900, 901, 5000, 902]) world.broker.queues.publish('t/1', 'x'.repeat(size));
    world.go();
    await world.broker.emptied();
    const requests = world.target.requests.slice(1);
    expect(requests.flatMap(payloadsOf).map((payload) => payload.length)).toEqual([1, 1, 1, 1, 900, 901, 5000, 902]);
    for (const request of requests) {
      expect(payloadsOf(request).length).toBeLessThanOrEqual(3);
      if (payloadsOf(request).length > 1) expect(request.body.length).toBeLessThanOrEqual(2000);
    }
    expect(payloadsOf(requests[0])).toEqual(['1', '2', '3']);
    expect(requests.map(payloadsOf).some(([only]) => only?.length === 5000)).toBe(true);
  });

  it('of a fifo queue has one message of a group, and the next one when that is done', async () => {
    const world = await BatchWorld.start(
      { concurrency: 2 },
      {
        queues: { q: { type: 'fifo', retry: { baseMs: 1000, capMs: 1000 } } },
        rules: [{ group: { topicLevel: 2 } }],
      },
    );
    for (let n = 1; n <= 4; n++) for (const group of ['a', 'b', 'c']) world.broker.queues.publish(`t/${group}`, `${n}`);
    const doneInOrder: string[] = [];
    const underway = new Set<unknown>();
    let failures = 0;
    world.go((request, response) => {
      const items = itemsOf(request);
      const groups = items.map(({ group }) => group);
      expect(new Set(groups).size).toBe(groups.length);
      for (const group of groups) expect(underway.has(group)).toBe(false);
      for (const group of groups) underway.add(group);
      setImmediate(() => {
        for (const group of groups) underway.delete(group);
        // The first message of b fails once.
        const failed = items.filter(({ group, payload }) => group === 'b' && payload === '1' && failures++ === 0);
        for (const item of items) if (!failed.includes(item)) doneInOrder.push(`${item['group']}${item.payload}`);
        response.end(JSON.stringify({ batchItemFailures: failed.map(({ id }) => ({ itemIdentifier: id })) }));
      });
    });
    await until(() => doneInOrder.length === 8);
    expect(doneInOrder.some((one) => one.startsWith('b'))).toBe(false);
    await world.broker.returned(1);
    world.broker.clock.advance(1000);
    await world.broker.emptied();
    for (const group of ['a', 'b', 'c']) {
      expect(doneInOrder.filter((one) => one.startsWith(group))).toEqual([1, 2, 3, 4].map((n) => `${group}${n}`));
    }
  });
});

describe('an answer to a batch', () => {
  const RETRIES = {
    queues: {
      q: { deadLetter: { queue: 'dead', maxReceives: 2 }, retry: { baseMs: 1000, capMs: 1000 } },
      dead: {},
    },
  } as const;

  it('may name messages that have failed: they come back alone, and the others are done', async () => {
    const world = await BatchWorld.start({}, RETRIES);
    for (const payload of ['good', 'bad', 'fine']) world.broker.queues.publish('t/1', payload);
    world.go((request, response) => {
      const failed = itemsOf(request).filter(({ payload }) => payload === 'bad');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ batchItemFailures: failed.map(({ id }) => ({ itemIdentifier: id })) }));
    });
    await world.broker.returned(1);
    expect(world.broker.push()).toMatchObject({ state: 'up', delivered: 3, failed: { item: 1 } });
    world.broker.queues.publish('t/1', 'later');
    await until(() => world.broker.push().delivered === 4);
    world.broker.clock.advance(1000);
    await until(() => world.broker.push().failed.item === 2);
    expect(world.target.requests.map(payloadsOf)).toEqual([['first'], ['good', 'bad', 'fine'], ['later'], ['bad']]);
    // Its second attempt was its last one.
    await world.broker.returned(1);
    world.broker.clock.advance(1000);
    await world.broker.emptied();
    expect(world.broker.left('dead')).toBe(1);
  });

  it.each([
    ['', 'no body'],
    ['OK', 'a word'],
    ['[1, 2]', 'a list'],
    ['{"ok":true}', 'an object about something else'],
    ['{"batchItemFailures":[]}', 'no failures'],
    ['{"batchItemFailures":null}', 'null in their place'],
  ])('that names none acknowledges all: %s, %s', async (answer) => {
    const world = await BatchWorld.start();
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    world.go((_, response) => void response.end(answer));
    await world.broker.emptied();
    expect(world.broker.push()).toMatchObject({ delivered: 3, failed: { protocol: 0, item: 0 } });
  });

  it('that is compressed, though asked not to be, acknowledges none', async () => {
    const world = await BatchWorld.start({}, RETRIES);
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    const asked: unknown[] = [];
    world.go((request, response) => {
      asked.push(request.headers['accept-encoding']);
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync('{"batchItemFailures":[{"itemIdentifier":"x"}]}'));
    });
    await world.broker.returned(2);
    expect(world.broker.push()).toMatchObject({ delivered: 1, failed: { protocol: 1 } });
    expect(asked).toContain('identity');
  });

  it.each([
    ['{"batchItemFailures":[{"itemIdentifier":"unknown"}]}', 'an id that was not sent'],
    ['{"batchItemFailures":[{"itemIdentifier":""}]}', 'an empty id'],
    ['{"batchItemFailures":[{"id":"x"}]}', 'another name'],
    ['{"batchItemFailures":{"itemIdentifier":"x"}}', 'no list'],
    ['{"batchItemFailures":[', 'no JSON'],
    [`{"x":"${'x'.repeat(70_000)}"}`, 'more than is read'],
  ])('that cannot be understood acknowledges none: %#', async (answer) => {
    const world = await BatchWorld.start({}, RETRIES);
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    world.go((_, response) => void response.end(answer));
    await world.broker.returned(2);
    expect(world.broker.push()).toMatchObject({ delivered: 1, failed: { protocol: 1 } });
  });

  it('that breaks off acknowledges none: it might have named any', async () => {
    const world = await BatchWorld.start({}, RETRIES);
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    world.go((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"batchItemFailures":[]}', () => response.destroy());
    });
    await world.broker.returned(2);
    expect(world.broker.push()).toMatchObject({ delivered: 1, failed: { connection: 1 } });
  });

  it('that does not end is none in time', async () => {
    const world = await BatchWorld.start({ timeoutMs: 5000 }, RETRIES);
    for (const payload of ['one', 'two']) world.broker.queues.publish('t/1', payload);
    world.go((_, response) => void response.writeHead(200).write('{'));
    await world.next(1);
    world.broker.clock.advance(5100);
    await world.broker.returned(2);
    expect(world.broker.push()).toMatchObject({ delivered: 1, failed: { timeout: 1 } });
  });

  it('that is a refusal refuses all, each of which then comes alone: one that nobody can take costs the others one attempt', async () => {
    const world = await BatchWorld.start({}, RETRIES);
    for (const payload of ['good', 'poison', 'fine']) world.broker.queues.publish('t/1', payload);
    world.go((request, response) => {
      response.writeHead(payloadsOf(request).includes('poison') ? 500 : 204).end();
    });
    await world.broker.returned(3);
    expect(world.broker.push()).toMatchObject({ failed: { 'server-error': 1 } });
    world.broker.clock.advance(1000);
    await until(() => world.broker.push().delivered === 3);
    await world.broker.returned(1);
    world.broker.clock.advance(1000);
    await world.broker.emptied();
    expect(world.target.requests.slice(2).map(payloadsOf)).toEqual([['good'], ['poison'], ['fine']]);
    expect(world.broker.left('dead')).toBe(1);
  });

  it('of a target that was down is asked for with one message first', async () => {
    const breaker = { failures: 1, firstWaitMs: 1000, longestWaitMs: 1000 };
    const world = await BatchWorld.start({ breaker }, { queues: { q: { retry: { baseMs: 60_000, capMs: 60_000 } } } });
    world.broker.queues.publish('t/1', 'failing');
    world.go((_, response) => void response.writeHead(500).end());
    await world.broker.returned(1);
    for (const payload of ['one', 'two', 'three']) world.broker.queues.publish('t/1', payload);
    world.target.answering = done;
    world.broker.clock.advance(1000);
    await until(() => world.broker.push().delivered === 4);
    expect(world.target.requests.slice(2).map(payloadsOf)).toEqual([['one'], ['two', 'three']]);
  });
});
