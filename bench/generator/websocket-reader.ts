/**
 * Takes the frames of a WebSocket apart as the bytes come, and hands on what is in its messages, as ranges of the chunk: nothing is
 * copied and nothing is made per frame, but for a header that a chunk ends in. It does not care where messages begin and end, since MQTT
 * does not either [MQTT-6.0.0-4].
 */
import { BenchFailure } from '../bench-failure.js';
import { CLOSE, PING, PONG } from './websocket-frames.js';

export interface WebSocketHandler {
  /** Bytes of MQTT. */
  onData(bytes: Uint8Array, start: number, end: number): void;
  onPing(body: Buffer): void;
  onClose(): void;
}

const LONGEST_HEADER = 10;
const SWITCHING_PROTOCOLS = 'HTTP/1.1 101 ';
const LONGEST_ANSWER = 8192;

export class WebSocketReader {
  readonly #handler: WebSocketHandler;
  readonly #header = new Uint8Array(LONGEST_HEADER);
  #headerBytes = 0;
  #opcode = 0;
  /** Bytes of the present frame's payload that have not come yet. */
  #remaining = 0;
  /** Of a control frame, whose payload is at most 125 bytes. */
  #control: number[] = [];
  /** The answer to the request, until it is complete. */
  #answer: string | undefined = '';

  constructor(handler: WebSocketHandler) {
    this.#handler = handler;
  }

  get isOpen(): boolean {
    return this.#answer === undefined;
  }

  /**
   * Takes the first `length` bytes of `chunk`.
   * @throws BenchFailure when the server does not switch to WebSocket
   */
  read(chunk: Uint8Array, length: number): void {
    let at = this.#answer === undefined ? 0 : this.#readAnswer(chunk, length);
    while (at < length) at = this.#remaining > 0 ? this.#readPayload(chunk, at, length) : this.#readHeader(chunk, at);
  }

  /** @returns where the answer ends; `length` when it goes on */
  #readAnswer(chunk: Uint8Array, length: number): number {
    const before = this.#answer ?? '';
    const answer = before + Buffer.from(chunk.subarray(0, length)).toString('latin1');
    const end = answer.indexOf('\r\n\r\n');
    if (end < 0 && answer.length < LONGEST_ANSWER) {
      this.#answer = answer;
      return length;
    }
    if (!answer.startsWith(SWITCHING_PROTOCOLS)) {
      throw new BenchFailure(`no WebSocket: ${answer.slice(0, 60).split('\r\n')[0]}`);
    }
    this.#answer = undefined;
    return end + 4 - before.length;
  }

  /** One byte of a header. */
  #readHeader(chunk: Uint8Array, at: number): number {
    const header = this.#header;
    header[this.#headerBytes++] = chunk[at] as number;
    const length = (header[1] as number) & 0x7f;
    // Of the first byte alone nothing is known: what stands in the second place then is of the frame before.
    const wanted = this.#headerBytes < 2 || length < 126 ? 2 : length === 126 ? 4 : LONGEST_HEADER;
    if (this.#headerBytes === wanted) this.#beginFrame(length);
    return at + 1;
  }

  #beginFrame(length: number): void {
    const header = this.#header;
    this.#headerBytes = 0;
    this.#opcode = (header[0] as number) & 0x0f;
    this.#remaining = length;
    if (length === 126) this.#remaining = ((header[2] as number) << 8) | (header[3] as number);
    if (length === 127) this.#remaining = new DataView(header.buffer).getUint32(6);
    if (this.#remaining === 0 && this.#opcode >= CLOSE) this.#endControl();
  }

  #readPayload(chunk: Uint8Array, at: number, length: number): number {
    const end = Math.min(length, at + this.#remaining);
    this.#remaining -= end - at;
    if (this.#opcode < CLOSE) {
      this.#handler.onData(chunk, at, end);
    } else {
      for (let byte = at; byte < end; byte++) this.#control.push(chunk[byte] as number);
      if (this.#remaining === 0) this.#endControl();
    }
    return end;
  }

  #endControl(): void {
    const body = Buffer.from(this.#control);
    this.#control = [];
    if (this.#opcode === PING) this.#handler.onPing(body);
    else if (this.#opcode !== PONG) this.#handler.onClose();
  }
}
