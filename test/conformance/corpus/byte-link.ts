/** One TCP connection of a case: bytes out, and the bytes that came, none of them interpreted. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type BytePattern, describePatterns, hex, matchPatterns } from './byte-pattern.js';

/** Longest wait for something that must come: it is there to name what did not, never to pass a test. */
const PATIENCE_MS = 3000;

const PINGREQ = Buffer.from('c000', 'hex');
const PINGRESP: readonly BytePattern[] = [{ kind: 'bytes', bytes: Buffer.from('d000', 'hex') }];
const ACCEPTING_CONNACK = { type: 0x20, codeAt: 3 };

/** What came is not what the case says. */
export class ByteMismatch extends Error {}

export class ByteLink {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  /** What has been expected and has come. */
  #taken = 0;
  #isEnded = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    const onEnd = () => {
      this.#isEnded = true;
      this.#wake?.();
    };
    for (const event of ['end', 'close', 'error']) socket.on(event, onEnd);
  }

  static async open(port: number): Promise<ByteLink> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return new ByteLink(socket);
  }

  /** The broker has closed its side, or the connection is gone. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The broker has accepted a CONNECT on it and has not closed it. */
  get isConnected(): boolean {
    const bytes = this.#received;
    return !this.#isEnded && bytes[0] === ACCEPTING_CONNACK.type && bytes[ACCEPTING_CONNACK.codeAt] === 0;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Ends our side in order. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Waits for the next bytes, which must be these.
   * @throws ByteMismatch
   */
  async expect(patterns: readonly BytePattern[]): Promise<void> {
    for (;;) {
      const result = matchPatterns(patterns, this.#received, this.#taken);
      if (result.kind === 'matched') {
        this.#taken = result.end;
        return;
      }
      const expected = describePatterns(patterns);
      if (result.kind === 'mismatch') {
        throw this.#mismatch(expected, `byte ${result.offset - this.#taken} should be ${result.expected}`);
      }
      if (this.#isEnded) throw this.#mismatch(expected, 'the broker closed the connection');
      if (!(await this.#somethingNew())) throw this.#mismatch(expected, 'no more came');
    }
  }

  /**
   * Waits for the end of the connection, before which nothing more may come.
   * @throws ByteMismatch
   */
  async expectEnd(): Promise<void> {
    for (;;) {
      if (this.#received.length > this.#taken) throw this.#mismatch('the end of the connection', 'more bytes came');
      if (this.#isEnded) break;
      if (!(await this.#somethingNew())) throw this.#mismatch('the end of the connection', 'it did not come');
    }
    this.#socket.end();
  }

  /**
   * The broker has sent nothing, proven by PINGREQ: its answer cannot overtake what had to be sent before.
   * @throws ByteMismatch
   */
  async expectSilence(): Promise<void> {
    this.send(PINGREQ);
    await this.expect(PINGRESP);
  }

  #mismatch(expected: string, why: string): ByteMismatch {
    const actual = hex(this.#received.subarray(this.#taken)) || 'nothing';
    return new ByteMismatch(`${why}\n  expected ${expected}\n  actual   ${actual}`);
  }

  /** @returns false if nothing is new for too long */
  async #somethingNew(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const isNew = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(true);
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    });
    clearTimeout(timer);
    this.#wake = null;
    return isNew;
  }
}
