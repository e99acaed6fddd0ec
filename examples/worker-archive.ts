/**
 * A worker that keeps everything: appends each message of the queue `readings` to a file, one line of JSON each, whatever its payload is.
 *
 *   node build/examples/worker-archive.js [FILE]     environment: MQTT_URL, QUEUE
 */
import { appendFile } from 'node:fs/promises';
import { type Job, QueueWorker } from './queue-worker.js';

const { MQTT_URL: url = 'mqtt://127.0.0.1:1883', QUEUE: queue = 'readings' } = process.env;
const [file = 'archive.ndjson'] = process.argv.slice(2);

async function archive({ id, topic, payload }: Job): Promise<void> {
  const line = JSON.stringify({ id, topic, payload: payload.toString('base64') });
  await appendFile(file, `${line}\n`, { flush: true });
}

const worker = new QueueWorker({ url, queue, work: archive });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => worker.stop());
await worker.ended;
