/**
 * What a server of `node:http` costs that does nothing but read JSON and answer: the floor that the SQS endpoint stands on, on this machine in
 * these minutes. Its answers are as long as those of the endpoint, and clients that drain a queue take them for such.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MESSAGES = 10;
const BODY_BYTES = Number(process.argv[2]);

const messages = Array.from({ length: MESSAGES }, (_, at) => ({
  MessageId: String(at).padStart(24, 'm'),
  ReceiptHandle: String(at).padStart(36, 'r'),
  MD5OfBody: '0'.repeat(32),
  Body: 'm'.repeat(BODY_BYTES),
}));
const received = JSON.stringify({ Messages: messages });
const deleted = JSON.stringify({ Successful: messages.map((_, at) => ({ Id: String(at) })) });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// Whoever has started it is gone.
process.on('disconnect', () => process.exit());

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const input: unknown = JSON.parse(body);
  const isReceive = request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage';
  const text = typeof input === 'object' && isReceive ? received : deleted;
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
