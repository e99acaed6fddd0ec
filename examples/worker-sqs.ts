/**
 * A worker with the AWS SDK: takes readings from the queue `telemetry` and appends them to a file.
 *
 *   node build/examples/worker-sqs.js [FILE]        environment: SQS_URL, QUEUE, and AWS_… as for any program with the SDK
 *
 * What it cannot do comes back after a while, and is a dead letter when that has happened often enough. Ctrl-C ends it in order.
 */
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { celsiusIn, keep } from './reading.js';

const {
  SQS_URL: endpoint = 'http://127.0.0.1:9324',
  QUEUE: queue = 'telemetry',
  AWS_REGION: region = 'us-east-1',
} = process.env;
const [file = 'readings.ndjson'] = process.argv.slice(2);
const RETRY_SECONDS = 2;

// The endpoint of a broker on this machine takes any key.
const credentials =
  process.env['AWS_ACCESS_KEY_ID'] === undefined
    ? { credentials: { accessKeyId: 'anybody', secretAccessKey: 'anything' } }
    : {};
const sqs = new SQSClient({ endpoint, region, ...credentials });
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
console.log(`taking from ${queue}`);
while (!stopping.signal.aborted) {
  const messages = await receive();
  const outcomes = await Promise.all(messages.map(work));
  const done = messages.filter((_, at) => outcomes[at]);
  if (done.length > 0) await remove(done);
}

/** Waits for messages; nothing if it is time to end. */
async function receive(): Promise<readonly Message[]> {
  const wanted = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20, MessageAttributeNames: ['mqtt.topic'] };
  try {
    return (await sqs.send(new ReceiveMessageCommand(wanted), { abortSignal: stopping.signal })).Messages ?? [];
  } catch (error) {
    if (stopping.signal.aborted) return [];
    throw error;
  }
}

/** @returns whether the message is done with */
async function work({ Body = '', MessageId = '', MessageAttributes, ReceiptHandle }: Message): Promise<boolean> {
  const topic = MessageAttributes?.['mqtt.topic']?.StringValue ?? '';
  try {
    // A message may come twice, after a crash: its id tells.
    await keep(file, MessageId, topic, celsiusIn(Body));
    console.log(`done: ${topic}`);
    return true;
  } catch (error) {
    console.error(`not done: ${topic}: ${error instanceof Error ? error.message : error}`);
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: RETRY_SECONDS }));
    return false;
  }
}

/** In one request: one for each message would take several times as long. */
async function remove(messages: readonly Message[]): Promise<void> {
  const Entries = messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
  const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  for (const { Id, Message: reason } of Failed)
    console.error(`not deleted: ${messages[Number(Id)]?.MessageId}: ${reason}`);
}
