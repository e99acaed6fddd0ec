/**
 * The connections that a server for HTTP may have. When there is one more, the one that has gone longest without the head of a
 * request gives way to it: who opens connections and asks nothing, or slowly, keeps nobody out.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

type Socket = IncomingMessage['socket'];

export class ConnectionRoom {
  readonly #maximum: number;
  /** Those that have to send a request, the longest waited for first. */
  readonly #waiting = new Set<Socket>();
  /** Those that are being answered. */
  readonly #served = new Set<Socket>();

  constructor(server: Server, maximum: number) {
    this.#maximum = maximum;
    server.prependListener('connection', (socket: Socket) => this.#enter(socket));
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request.socket, response);
    });
  }

  #enter(socket: Socket): void {
    this.#waiting.add(socket);
    socket.once('close', () => {
      this.#waiting.delete(socket);
      this.#served.delete(socket);
    });
    if (this.#waiting.size + this.#served.size <= this.#maximum) return;
    // The new one itself, where all others are being answered.
    for (const longest of this.#waiting) {
      this.#waiting.delete(longest);
      longest.destroy();
      return;
    }
  }

  #serve(socket: Socket, response: ServerResponse): void {
    this.#waiting.delete(socket);
    this.#served.add(socket);
    response.once('close', () => {
      if (this.#served.delete(socket) && !socket.destroyed) this.#waiting.add(socket);
    });
  }
}
