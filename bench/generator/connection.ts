/**
 * The bytes between a client and the broker, whatever they go over. All connections read into one shared buffer: a chunk is dealt with
 * before the next one is read.
 */
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Address } from './broker-under-test.js';
import { isEncrypted, isWebSocket, type Transport } from './transport.js';
import { BINARY, CLOSE, maskedHeader, PONG, upgradeRequest } from './websocket-frames.js';
import { WebSocketReader } from './websocket-reader.js';

const SHARED_READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const WEBSOCKET_PATH = '/mqtt';

/** Who reads: parts of a chunk, and then that the chunk is over. */
export interface ConnectionReader {
  readPart(chunk: Uint8Array, start: number, end: number): void;
  endChunk(): void;
}

export interface Connection {
  readonly socket: Socket;
  /** The bytes must stay as they are until the socket has taken them. */
  write(bytes: Uint8Array): void;
  /** Sends the last bytes. */
  end(bytes: Uint8Array): void;
}

export function openConnection(address: Address, reader: ConnectionReader): Connection {
  const transport = address.transport ?? 'tcp';
  return isWebSocket(transport) ? new WebSocketConnection(address, reader) : new PlainConnection(address, reader);
}

class PlainConnection implements Connection {
  readonly socket: Socket;

  constructor(address: Address, reader: ConnectionReader) {
    this.socket = openSocket(address, address.transport ?? 'tcp', (length, chunk) => {
      reader.readPart(chunk, 0, length);
      reader.endChunk();
    });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  end(bytes: Uint8Array): void {
    this.socket.end(bytes);
  }
}

/** Each write becomes one binary message. What is written before the server has agreed waits for that. */
class WebSocketConnection implements Connection {
  readonly socket: Socket;
  #waiting: Uint8Array[] = [];
  #header: Uint8Array = Buffer.alloc(0);
  #headerFor = -1;

  constructor(address: Address, reader: ConnectionReader) {
    const frames = new WebSocketReader({
      onData: (bytes, start, end) => reader.readPart(bytes, start, end),
      onPing: (body) => this.#send(PONG, body),
      onClose: () => this.socket.end(),
    });
    this.socket = openSocket(address, address.transport ?? 'ws', (length, chunk) => {
      const wasOpen = frames.isOpen;
      try {
        frames.read(chunk, length);
      } catch (error) {
        this.socket.destroy(error as Error);
        return;
      }
      if (!wasOpen && frames.isOpen) this.#open();
      reader.endChunk();
    });
    this.socket.write(upgradeRequest(address.host, address.port, WEBSOCKET_PATH));
  }

  write(bytes: Uint8Array): void {
    if (this.#waiting === NOTHING_WAITS) this.#send(BINARY, bytes);
    else this.#waiting.push(bytes);
  }

  end(bytes: Uint8Array): void {
    this.write(bytes);
    this.#send(CLOSE, new Uint8Array(0));
    this.socket.end();
  }

  #open(): void {
    const waiting = this.#waiting;
    this.#waiting = NOTHING_WAITS;
    for (const bytes of waiting) this.#send(BINARY, bytes);
  }

  #send(opcode: number, bytes: Uint8Array): void {
    const { socket } = this;
    socket.cork();
    socket.write(opcode === BINARY ? this.#headerOf(bytes.length) : maskedHeader(opcode, bytes.length));
    socket.write(bytes);
    socket.uncork();
  }

  /** Most writes of a connection are as long as the one before. */
  #headerOf(length: number): Uint8Array {
    if (this.#headerFor !== length) {
      this.#header = maskedHeader(BINARY, length);
      this.#headerFor = length;
    }
    return this.#header;
  }
}

const NOTHING_WAITS: Uint8Array[] = [];

function openSocket(
  { host, port }: Address,
  transport: Transport,
  onChunk: (length: number, chunk: Uint8Array) => void,
): Socket {
  const onread = {
    buffer: SHARED_READ_BUFFER,
    callback: (length: number, chunk: Uint8Array): boolean => {
      onChunk(length, chunk);
      return true;
    },
  };
  if (!isEncrypted(transport)) return connectTcp({ host, port, noDelay: true, onread } satisfies TcpNetConnectOpts);
  // The certificate vouches for itself: it was made for this run, and nobody is in between.
  const options: ConnectionOptions & Pick<TcpNetConnectOpts, 'onread'> = {
    host,
    port,
    rejectUnauthorized: false,
    onread,
  };
  const socket = connectTls(options);
  socket.setNoDelay(true);
  return socket;
}
