/**
 * A worker: takes readings from the queue `telemetry` and appends them to a file.
 *
 *   node build/examples/worker-mqtt.js [FILE]     environment: MQTT_URL, QUEUE
 *
 * A reading that cannot be written is refused and comes back later; one that is no reading goes to the dead letters. Each line has
 * the message's id, since a message may come twice: after a crash between writing it and saying so.
 */
import { appendFile } from 'node:fs/promises';
import { type Job, QueueWorker, Unusable } from './queue-worker.js';

const { MQTT_URL: url = 'mqtt://127.0.0.1:1883', QUEUE: queue = 'telemetry' } = process.env;
const [file = 'readings.ndjson'] = process.argv.slice(2);

async function record({ id, topic, payload }: Job): Promise<void> {
  const line = JSON.stringify({ id, topic, celsius: celsiusIn(payload) });
  // Done means kept: the file is synced before the message is acknowledged.
  await appendFile(file, `${line}\n`, { flush: true });
}

/** @throws Unusable if the payload is no reading */
function celsiusIn(payload: Buffer): number {
  let reading: unknown;
  try {
    reading = JSON.parse(payload.toString());
  } catch {
    throw new Unusable('no JSON');
  }
  if (typeof reading === 'object' && reading !== null && 'celsius' in reading && typeof reading.celsius === 'number') {
    return reading.celsius;
  }
  throw new Unusable('no number celsius');
}

const worker = new QueueWorker({ url, queue, work: record });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => worker.stop());
await worker.ended;
