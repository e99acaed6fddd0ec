/** An HTTP client on a bare socket: it sends what it is told to, whole or in pieces, and sees every answer. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export class RawHttp {
  readonly socket: Socket;
  readonly answers: RawAnswer[] = [];
  isClosed = false;
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #changed: (() => void)[] = [];

  private constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        this.#notify();
        resolve();
      });
    });
    this.socket.on('end', () => this.socket.end());
  }

  static async open(port: number): Promise<RawHttp> {
    const client = new RawHttp(port);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('connect', resolve);
      client.socket.once('close', () => reject(new Error('the connection was refused')));
    });
    return client;
  }

  /** Sends the request and waits for its answer. */
  async call(action: string, input: object | string): Promise<RawAnswer> {
    const before = this.answers.length;
    this.socket.write(jsonRequest(action, input));
    return await this.answer(before);
  }

  /** The answer of that number; rejects if the connection ends before. */
  async answer(index: number): Promise<RawAnswer> {
    await this.until(() => this.answers.length > index || this.isClosed);
    const answer = this.answers[index];
    if (answer === undefined) throw new Error('the connection was closed without an answer');
    return answer;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  destroy(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (let answer = this.#take(); answer !== null; answer = this.#take()) this.answers.push(answer);
    this.#notify();
  }

  #take(): RawAnswer | null {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const head = this.#received.subarray(0, end).toString('latin1');
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    const bodyEnd = end + 4 + length;
    if (this.#received.length < bodyEnd) return null;
    const body = this.#received.subarray(end + 4, bodyEnd).toString();
    this.#received = this.#received.subarray(bodyEnd);
    return { status: Number(head.slice(9, 12)), head, body };
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resolve of changed) resolve();
  }
}

export function jsonRequest(action: string, input: object | string, headers = ''): string {
  const body = typeof input === 'string' ? input : JSON.stringify(input);
  return `${jsonHead(action, Buffer.byteLength(body), headers)}${body}`;
}

export function jsonHead(action: string, length: number, headers = ''): string {
  return `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.${action}\r\ncontent-length: ${length}\r\n${headers}\r\n`;
}
