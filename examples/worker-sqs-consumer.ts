/**
 * The same worker with `sqs-consumer`, which receives, deletes and starts over by itself.
 *
 *   node build/examples/worker-sqs-consumer.js [FILE]        environment: SQS_URL, QUEUE, and AWS_…
 */
import { type Message, SQSClient } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { celsiusIn, keep } from './reading.js';

const {
  SQS_URL: endpoint = 'http://127.0.0.1:9324',
  QUEUE: queue = 'telemetry',
  AWS_REGION: region = 'us-east-1',
} = process.env;
const [file = 'readings.ndjson'] = process.argv.slice(2);
const RETRY_SECONDS = 2;

const credentials =
  process.env['AWS_ACCESS_KEY_ID'] === undefined
    ? { credentials: { accessKeyId: 'anybody', secretAccessKey: 'anything' } }
    : {};

const worker = Consumer.create({
  sqs: new SQSClient({ endpoint, region, ...credentials }),
  queueUrl: `${endpoint}/000000000000/${queue}`,
  batchSize: 10,
  messageAttributeNames: ['mqtt.topic'],
  // What is not done comes back after so long, instead of at the end of its visibility timeout.
  terminateVisibilityTimeout: RETRY_SECONDS,
  // The messages that it returns are deleted, in one request.
  handleMessageBatch: async (messages) => {
    const outcomes = await Promise.all(messages.map(work));
    const done = messages.filter((_, at) => outcomes[at]);
    // Nothing done is an error: then all of it comes back.
    if (done.length === 0) throw new Error('nothing could be done');
    return done;
  },
});

async function work({ Body = '', MessageId = '', MessageAttributes }: Message): Promise<boolean> {
  const topic = MessageAttributes?.['mqtt.topic']?.StringValue ?? '';
  try {
    await keep(file, MessageId, topic, celsiusIn(Body));
    console.log(`done: ${topic}`);
    return true;
  } catch (error) {
    console.error(`not done: ${topic}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

worker.on('error', (error) => console.error(error.message));
worker.on('processing_error', () => {});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => worker.stop({ abort: true }));
worker.start();
console.log(`taking from ${queue}`);
