/**
 * Answers requests that come through the queue `telemetry`: a temperature in °C is answered in °F.
 *
 *   node build/examples/responder.js              environment: MQTT_URL, QUEUE
 *
 * A request is acknowledged when the broker has its answer: should this worker die before, another one answers. Answers leave
 * by a connection of their own, since the one that takes requests reads no PUBACK while it has one in hand.
 */
import { connectAsync } from 'mqtt';
import { type Job, QueueWorker, Unusable } from './queue-worker.js';

const { MQTT_URL: url = 'mqtt://127.0.0.1:1883', QUEUE: queue = 'telemetry' } = process.env;

const answers = await connectAsync(url, { protocolVersion: 5 });
answers.on('error', (error) => console.error(`connection for answers: ${error.message}`));

async function answer({ payload, properties }: Job): Promise<void> {
  const { responseTopic, correlationData } = properties;
  if (responseTopic === undefined) throw new Unusable('nobody to answer');
  const body = JSON.stringify(answerTo(payload));
  await answers.publishAsync(responseTopic, body, {
    qos: 1,
    properties: { contentType: 'application/json', ...(correlationData === undefined ? {} : { correlationData }) },
  });
}

/** A request that makes no sense has an answer, too: who sent it is waiting. */
function answerTo(payload: Buffer): { fahrenheit: number } | { error: string } {
  try {
    const { celsius } = JSON.parse(payload.toString());
    return typeof celsius === 'number' ? { fahrenheit: celsius * 1.8 + 32 } : { error: 'no number celsius' };
  } catch {
    return { error: 'no JSON object' };
  }
}

const worker = new QueueWorker({ url, queue, work: answer });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => worker.stop());
await worker.ended;
await answers.endAsync();
