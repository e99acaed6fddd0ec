/** Workers that are written with `sqs-consumer` take from the queues as from those of SQS. */
import type { Message } from '@aws-sdk/client-sqs';
import { Consumer, type ConsumerOptions } from 'sqs-consumer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SqsBroker, turn } from '../../support/sqs-broker.js';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

async function withWorker(options: Omit<Partial<ConsumerOptions>, 'sqs' | 'queueUrl'>) {
  const queues = { q: { deadLetter: { queue: 'dead', maxReceives: 2 }, visibilityTimeoutMs: 5000 }, dead: {} };
  const broker = await SqsBroker.start({ broker: { queues } });
  const worker = Consumer.create({
    sqs: broker.client,
    queueUrl: broker.queueUrl('q'),
    batchSize: 10,
    waitTimeSeconds: 20,
    suppressFifoWarning: true,
    ...options,
  } as ConsumerOptions);
  const errors: Error[] = [];
  worker.on('error', (error) => errors.push(error));
  const stop = async () => {
    if (!worker.status.isRunning) return;
    const isStopped = new Promise((resolve) => worker.once('stopped', resolve));
    worker.stop({ abort: true });
    await isStopped;
  };
  onTestFinished(stop);
  return { broker, worker, errors, stop };
}

describe('sqs-consumer', () => {
  it('is given what comes, and deletes it', async () => {
    const seen: string[] = [];
    const { broker, worker, errors } = await withWorker({
      handleMessage: async (message: Message) => {
        seen.push(message.Body ?? '');
        return message;
      },
    });
    broker.queues.publish('$queue/q', 'before');
    worker.start();
    await until(() => seen.length === 1);
    await broker.waiting('q', 1);
    broker.queues.publish('$queue/q', 'after');
    await until(() => seen.length === 2);
    await broker.waiting('q', 1);
    expect(seen).toEqual(['before', 'after']);
    expect(broker.queues.statistics()).toMatchObject({ ready: 0, inFlight: 0 });
    expect(errors).toEqual([]);
  });

  it('deletes of a batch what was done, and the rest comes back', async () => {
    const batches: string[][] = [];
    const { broker, worker, errors } = await withWorker({
      handleMessageBatch: async (messages: Message[]) => {
        batches.push(messages.map(({ Body }) => Body ?? ''));
        return messages.filter(({ Body }) => Body !== 'bad');
      },
    });
    broker.queues.publish('$queue/q', 'good', 'bad', 'good too');
    worker.start();
    await until(() => batches.length === 1);
    await broker.waiting('q', 1);
    expect(broker.queues.statistics()).toMatchObject({ ready: 0, inFlight: 1 });
    broker.clock.advance(5000);
    await until(() => batches.length === 2);
    await broker.waiting('q', 1);
    broker.clock.advance(5000);
    await until(() => broker.queues.statistics('dead').ready === 1);
    expect(batches).toEqual([['good', 'bad', 'good too'], ['bad']]);
    expect(errors).toEqual([]);
  });

  it('gives back at once what it could not do, if it is told to', async () => {
    let attempts = 0;
    const { broker, worker, errors } = await withWorker({
      terminateVisibilityTimeout: true,
      handleMessage: async (message: Message) => {
        attempts++;
        if (attempts === 1) throw new Error('not yet');
        return message;
      },
    });
    worker.on('processing_error', () => {});
    broker.queues.publish('$queue/q', 'x');
    worker.start();
    await until(() => attempts === 2);
    await broker.waiting('q', 1);
    expect(broker.queues.statistics()).toMatchObject({ ready: 0, inFlight: 0 });
    expect(broker.queues.statistics('dead')).toMatchObject({ ready: 0 });
    expect(errors).toEqual([]);
  });

  it('takes nothing any more when it has been stopped', async () => {
    const { broker, worker, stop } = await withWorker({ handleMessage: async () => undefined });
    worker.start();
    await broker.waiting('q', 1);
    await stop();
    await broker.waiting('q', 0);
    broker.queues.publish('$queue/q', 'x');
    expect(broker.queues.statistics()).toMatchObject({ ready: 1, inFlight: 0 });
  });
});
