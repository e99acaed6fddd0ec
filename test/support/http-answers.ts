/** A server of HTTP that answers as the test says, and remembers what it was asked. Closed when the test ends. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export class HttpAnswers {
  readonly asked: Asked[] = [];
  readonly url: string;
  answer: (response: ServerResponse, asked: Asked) => void;

  private constructor(port: number, answer: (response: ServerResponse, asked: Asked) => void) {
    this.url = `http://127.0.0.1:${port}/path?token=in-the-query`;
    this.answer = answer;
  }

  static async start(answer: (response: ServerResponse, asked: Asked) => void): Promise<HttpAnswers> {
    let answers: HttpAnswers | null = null;
    const server = createServer(async (request, response) => {
      request.on('error', () => {});
      response.on('error', () => {});
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const asked = { method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() };
      answers?.asked.push(asked);
      answers?.answer(response, asked);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    answers = new HttpAnswers((server.address() as AddressInfo).port, answer);
    return answers;
  }
}

export function json(value: unknown, status = 200): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
}

/** Writes until nobody reads any more. */
export function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', write);
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  write();
}

/** Never answers. */
export function silence(): void {}
