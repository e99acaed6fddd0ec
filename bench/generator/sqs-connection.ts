/** One kept connection to the SQS endpoint, on a raw socket: one request at a time, and the text of each answer. */
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const OK = 'HTTP/1.1 200';
const LENGTH = 'content-length: ';

export interface SqsRole {
  /** @returns what to ask next, null for nothing more */
  onAnswer(body: string): string | null;
}

export class SqsConnection {
  /** Called when the connection ends, or an answer is an error. */
  onLost: (reason: string) => void = () => {};
  readonly #socket: Socket;
  #role: SqsRole | null = null;
  #received = '';
  #closing = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    let reason = 'closed by the broker';
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#onData(String(text)));
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (!this.#closing) this.onLost(`connection to the SQS endpoint lost: ${reason}`);
    });
  }

  static open(port: number): Promise<SqsConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('connect', () => resolve(new SqsConnection(socket)));
      socket.once('error', reject);
    });
  }

  start(role: SqsRole, request: string): void {
    this.#role = role;
    this.#socket.write(request);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #onData(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const lengthAt = this.#received.indexOf(LENGTH) + LENGTH.length;
    const bodyAt = headEnd + HEAD_END.length;
    const bodyEnd = bodyAt + Number.parseInt(this.#received.slice(lengthAt, lengthAt + 10), 10);
    if (this.#received.length < bodyEnd) return;
    const body = this.#received.slice(bodyAt, bodyEnd);
    const isGood = this.#received.startsWith(OK);
    this.#received = this.#received.slice(bodyEnd);
    if (!isGood) this.onLost(`the SQS endpoint answered with an error: ${body.slice(0, 300)}`);
    else this.#next(body);
  }

  #next(body: string): void {
    const request = this.#role?.onAnswer(body) ?? null;
    if (request !== null) this.#socket.write(request);
  }
}
