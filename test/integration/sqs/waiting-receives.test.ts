/** Long polling: receives that wait for messages. */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { SqsBroker } from '../../support/sqs-broker.js';
import { withQueue } from '../../support/sqs-queue.js';

describe('receives that wait', () => {
  it('are answered when a message comes, in the order in which they asked', async () => {
    const { queue, broker } = await withQueue();
    const answers: string[] = [];
    const ask = async (name: string) => {
      const [body] = await queue.bodies({ MaxNumberOfMessages: 1, WaitTimeSeconds: 20 });
      answers.push(`${name}:${body}`);
    };
    const asked: Promise<void>[] = [];
    for (const [at, name] of ['a', 'b', 'c'].entries()) {
      asked.push(ask(name));
      await broker.waiting('q', at + 1);
    }
    for (const body of ['1', '2', '3']) await queue.send(body);
    await Promise.all(asked);
    expect(answers.sort()).toEqual(['a:1', 'b:2', 'c:3']);
  });

  it('are answered with nothing when the time is over', async () => {
    const { queue, broker } = await withQueue('q', { ReceiveMessageWaitTimeSeconds: '3' });
    const asked = queue.bodies();
    await broker.waiting('q', 1);
    expect(broker.endpoint.counters.waitingReceives).toBe(1);
    broker.clock.advance(3000);
    expect(await asked).toEqual([]);
    expect(broker.endpoint.counters.waitingReceives).toBe(0);
  });

  it('take nothing for somebody who has gone', async () => {
    const { queue, client, broker } = await withQueue();
    const gone = new AbortController();
    const asked = client.send(new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 20 }), {
      abortSignal: gone.signal,
    });
    await broker.waiting('q', 1);
    gone.abort();
    await expect(asked).rejects.toThrow();
    await broker.waiting('q', 0);
    await queue.send('x');
    const [message] = await queue.receive({ MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    expect(message).toMatchObject({ Body: 'x', Attributes: { ApproximateReceiveCount: '1' } });
    expect(broker.endpoint.counters.waitingReceives).toBe(0);
  });

  it('are many, and each gets its one message in its turn', async () => {
    const { broker } = await withQueue();
    const waiters = 500;
    const answers: string[][] = [];
    const asked: Promise<void>[] = [];
    for (let waiter = 0; waiter < waiters; waiter++) {
      const receive = broker.call('ReceiveMessage', { QueueUrl: 'q', WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });
      asked.push(
        receive.then(({ text }) => {
          const { Messages } = JSON.parse(text) as { Messages: { Body: string }[] };
          answers[waiter] = Messages.map(({ Body }) => Body);
        }),
      );
      await broker.waiting('q', waiter + 1);
    }
    for (let body = 0; body < waiters; body++) broker.queues.publish('$queue/q', `${body}`);
    await Promise.all(asked);
    expect(answers).toEqual(Array.from({ length: waiters }, (_, body) => [`${body}`]));
    expect(broker.endpoint.counters.waitingReceives).toBe(0);
  });

  it('do not hold up other queues', async () => {
    const { broker } = await withQueue('a');
    await broker.call('CreateQueue', { QueueName: 'b' });
    const waits = broker.call('ReceiveMessage', { QueueUrl: 'a', WaitTimeSeconds: 20 });
    await broker.waiting('a', 1);
    await broker.call('SendMessage', { QueueUrl: 'b', MessageBody: 'x' });
    expect((await broker.call('ReceiveMessage', { QueueUrl: 'b', WaitTimeSeconds: 20 })).text).toContain('"Body":"x"');
    broker.clock.advance(20_000);
    expect((await waits).text).toBe('{}');
  });

  it('are no more than the endpoint allows, and those that wait go on', async () => {
    const broker = await SqsBroker.start({ broker: { queues: { q: {} } }, service: { maxWaitingReceives: 2 } });
    const wait = () => broker.call('ReceiveMessage', { QueueUrl: 'q', WaitTimeSeconds: 20 });
    const asked = [wait(), wait()];
    await broker.waiting('q', 2);
    const refused = await wait();
    expect([refused.status, refused.headers.get('x-amzn-query-error')]).toEqual([400, 'RequestThrottled;Sender']);
    expect(broker.endpoint.counters.refusedWaits).toBe(1);
    expect((await broker.call('ReceiveMessage', { QueueUrl: 'q' })).text).toBe('{}');
    broker.queues.publish('$queue/q', 'x', 'y');
    expect((await Promise.all(asked)).map(({ text }) => /"Body":"(.)"/.exec(text)?.[1])).toEqual(['x', 'y']);
  });

  it('are told that there is nothing when the queue is deleted', async () => {
    const { broker } = await withQueue();
    const asked = broker.call('ReceiveMessage', { QueueUrl: 'q', WaitTimeSeconds: 20 });
    await broker.waiting('q', 1);
    await broker.call('DeleteQueue', { QueueUrl: 'q' });
    expect(await asked).toMatchObject({ status: 200, text: '{}' });
    expect(broker.endpoint.counters.waitingReceives).toBe(0);
  });

  it('are answered when a message is back, or its delay is over', async () => {
    const { queue, broker } = await withQueue('q', { VisibilityTimeout: '5' });
    await queue.send('delayed', { DelaySeconds: 3 });
    const first = queue.bodies({ WaitTimeSeconds: 20 });
    await broker.waiting('q', 1);
    broker.clock.advance(3000);
    expect(await first).toEqual(['delayed']);
    const second = queue.bodies({ WaitTimeSeconds: 20 });
    await broker.waiting('q', 1);
    broker.clock.advance(5000);
    expect(await second).toEqual(['delayed']);
  });
});
