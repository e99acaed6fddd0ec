/**
 * Publishers fill a work queue, and the broker sends what is in it to a webhook of ours: a plain server that answers each request at once,
 * and finds publisher, sequence number and group in its body.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BenchFailure } from '../bench-failure.js';
import { openClients } from './open-clients.js';
import type { PushJob, PushResult } from './push-job.js';
import { readQueueFigures } from './queue-figures.js';
import { unsigned32 } from './subscriber.js';
import { WorkLedger } from './work-ledger.js';
import { measureWork, publisherOf, type WorkTaker } from './work-run.js';

export async function runPush(job: PushJob): Promise<PushResult> {
  const { address, protocol } = job;
  const clients = await openClients(job.publishers, address, protocol, (n) => `bench-publisher-${n}`);
  const lost = new Promise<never>((_, reject) => {
    for (const client of clients) client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const publishers = clients.map((client, publisher) => publisherOf(job, client, publisher));
  const ledger = new WorkLedger(publishers, job.groups);
  const webhook = new Webhook(ledger);
  await webhook.listen(job.targetPort);
  const usage = await Promise.race([measureWork(job, { publishers, workers: [webhook], ledger }), lost]);
  const figures = await readQueueFigures(address);
  for (const client of clients) client.close();
  const { duplicated, reordered } = ledger;
  const { connections } = webhook;
  return { kind: 'push', ...usage, ...figures, lost: ledger.lost, duplicated, reordered, connections };
}

class Webhook implements WorkTaker {
  readonly #ledger: WorkLedger;
  readonly #server: Server;
  taken = 0;
  connections = 0;

  constructor(ledger: WorkLedger) {
    this.#ledger = ledger;
    this.#server = createServer((request, response) => this.#onRequest(request, response));
    this.#server.on('connection', () => this.connections++);
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      this.taken++;
      this.#ledger.onMessage(unsigned32(body, 0), unsigned32(body, 4), unsigned32(body, 8));
      response.writeHead(204).end();
    });
  }
}
