/**
 * A webhook: an HTTP server that is sent the readings of the queue `telemetry`, and appends them to a file. Needs nothing but Node.
 *
 *   node build/examples/webhook-receiver.js [FILE]     environment: PORT, WEBHOOK_SECRET
 *
 * Whatever it answers but 2xx brings the reading back later, and makes a dead letter of it in the end. Each line has the message's
 * id, since a message may come twice: if the answer to it was lost.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';

/** That of examples/webhook.yaml. */
const EXAMPLE_SECRET = 'whsec_ZXhhbXBsZXMgYXJlIG5vdCBzZWNyZXQgYXQgYWxsIQ==';

const { PORT: port = '3000', WEBHOOK_SECRET: secret = EXAMPLE_SECRET } = process.env;
const [file = 'readings.ndjson'] = process.argv.slice(2);
const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** Older requests may have been recorded by somebody, and sent again. */
const TOLERANCE_SECONDS = 5 * 60;
const MOST_BYTES = 1024 * 1024;
/** Ids are remembered for so many messages; what comes again later is in the file twice. */
const REMEMBERED = 10_000;

const done = new Set<string>();

const server = createServer(async (request, response) => {
  response.writeHead(await answerTo(request)).end();
});

/** @returns the status */
async function answerTo(request: IncomingMessage): Promise<number> {
  try {
    const body = await bodyOf(request);
    const id = header(request, 'webhook-id');
    if (!isGenuine(request, id, body)) return told(401, 'refused: no signature of ours');
    const topic = decodeURIComponent(header(request, 'mqtt-topic'));
    const what = `${topic}, attempt ${header(request, 'q-attempt')}`;
    if (done.has(id)) return told(204, `known: ${what}`);
    const celsius = celsiusIn(body);
    if (celsius === undefined) return told(422, `refused: ${what}: no reading`);
    // Done means kept: the file is synced before the message is acknowledged.
    await appendFile(file, `${JSON.stringify({ id, topic, celsius })}\n`, { flush: true });
    remember(id);
    return told(204, `done: ${what}`);
  } catch (error) {
    return told(500, `refused: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether somebody who knows the secret has signed these very bytes, not long ago. */
function isGenuine(request: IncomingMessage, id: string, body: Buffer): boolean {
  const timestamp = header(request, 'webhook-timestamp');
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < TOLERANCE_SECONDS)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  // While the secret is being exchanged there are several.
  return header(request, 'webhook-signature')
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
}

function header({ headers }: IncomingMessage, name: string): string {
  return [headers[name] ?? ''].flat()[0] ?? '';
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) throw new RangeError('the body is too large');
  }
  return Buffer.concat(chunks);
}

function celsiusIn(body: Buffer): number | undefined {
  try {
    const reading: unknown = JSON.parse(body.toString());
    if (typeof reading === 'object' && reading !== null && 'celsius' in reading) {
      return typeof reading.celsius === 'number' ? reading.celsius : undefined;
    }
  } catch {
    // It is none.
  }
  return undefined;
}

function remember(id: string): void {
  done.add(id);
  const [oldest] = done;
  if (done.size > REMEMBERED && oldest !== undefined) done.delete(oldest);
}

function told(status: number, line: string): number {
  console.log(line);
  return status;
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  const open = typeof address === 'object' && address !== null ? address.port : port;
  console.log(`listening on http://127.0.0.1:${open}/`);
});
// The broker keeps connections: those without a request are closed at once, the others with their answers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.close());
