/** A client's end of a connection, by TCP or WebSocket: bytes out, bytes in, and how it ends. */
import { connect as connectSocket, type Socket } from 'node:net';
import { WebSocket } from 'ws';

export interface LinkHandler {
  onOpen(): void;
  onBytes(bytes: Buffer): void;
  /** @param isClean everything that the broker has sent has been read */
  onClose(isClean: boolean): void;
}

export interface Link {
  write(bytes: Buffer): void;
  pause(): void;
  resume(): void;
  /** Says that nothing more will come. */
  endInput(): void;
  close(): void;
  reset(): void;
}

export interface Ports {
  readonly tcp: number;
  readonly ws: number;
}

export function openLink(transport: 'tcp' | 'ws', ports: Ports, handler: LinkHandler): Link {
  return transport === 'tcp' ? new TcpLink(ports.tcp, handler) : new WebSocketLink(ports.ws, handler);
}

class TcpLink implements Link {
  readonly #socket: Socket;

  constructor(port: number, handler: LinkHandler) {
    this.#socket = connectSocket({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    let hasEnded = false;
    let isClosed = false;
    const onClose = (): void => {
      if (!isClosed) handler.onClose(hasEnded);
      isClosed = true;
    };
    this.#socket.on('error', () => {});
    this.#socket.on('connect', () => handler.onOpen());
    this.#socket.on('data', (bytes: Buffer) => handler.onBytes(bytes));
    this.#socket.on('end', () => {
      hasEnded = true;
      onClose();
    });
    this.#socket.on('close', onClose);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  endInput(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

class WebSocketLink implements Link {
  readonly #webSocket: WebSocket;

  constructor(port: number, handler: LinkHandler) {
    this.#webSocket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt', { perMessageDeflate: false });
    this.#webSocket.on('error', () => {});
    this.#webSocket.on('open', () => handler.onOpen());
    this.#webSocket.on('message', (data: Buffer) => handler.onBytes(data));
    // 1006: the connection was lost without a Close frame.
    this.#webSocket.on('close', (code) => handler.onClose(code !== 1006));
  }

  write(bytes: Buffer): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(bytes);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  endInput(): void {
    this.#webSocket.close(1000);
  }

  close(): void {
    this.#webSocket.terminate();
  }

  reset(): void {
    this.#webSocket.terminate();
  }
}
