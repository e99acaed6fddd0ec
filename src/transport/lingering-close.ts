/**
 * Closing a socket at once while the peer is still sending resets the connection, and the reset takes our last packet
 * with it before the peer has read it. So the last packet is sent, our side is closed, and what still arrives is thrown
 * away for a short while. Bounded in time and in number.
 */
import type { Socket } from 'node:net';
import type { SlicedTasks } from '../core/sliced-tasks.js';
import { CallbackTimer, type TimingWheel } from '../core/timing-wheel.js';

const LINGER_MS = 1000;
/** Sockets that linger at a time; one above this is destroyed as soon as its last packet has been written. */
const MAXIMUM_LINGERING = 1000;

export class LingeringClose {
  readonly #wheel: TimingWheel;
  readonly #slicedTasks: SlicedTasks;
  readonly #lingering = new Set<Socket>();
  #whenIdle: (() => void) | null = null;

  constructor(wheel: TimingWheel, slicedTasks: SlicedTasks) {
    this.#wheel = wheel;
    this.#slicedTasks = slicedTasks;
  }

  /** Takes the socket over: nobody else listens to it any more, and at the end it is destroyed. */
  close(socket: Socket): void {
    if (!this.bound(socket)) return;
    this.#slicedTasks.run(() => {
      if (socket.destroyed) return;
      socket.once('end', () => this.#slicedTasks.run(() => socket.destroySoon()));
      socket.end();
      socket.resume();
    });
  }

  /**
   * Destroys the socket after the bounded while, unless it has closed by then.
   * @returns false if that was done at once
   */
  bound(socket: Socket): boolean {
    if (socket.destroyed) return false;
    if (this.#lingering.size >= MAXIMUM_LINGERING) {
      // Whoever reads nothing would keep it for ever: only what the operating system has taken already is waited for.
      if (socket.writableLength > 0) socket.destroy();
      else this.#slicedTasks.run(() => socket.destroySoon());
      return false;
    }
    this.#lingering.add(socket);
    const timer = new CallbackTimer(() => socket.destroy());
    this.#wheel.arm(timer, this.#wheel.nowMs + LINGER_MS);
    socket.once('close', () => {
      this.#lingering.delete(socket);
      this.#wheel.cancel(timer);
      if (this.#lingering.size === 0) this.#whenIdle?.();
    });
    return true;
  }

  /** Resolves when no socket lingers any more. */
  async idle(): Promise<void> {
    if (this.#lingering.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  /** Ends what still lingers. */
  destroyAll(): void {
    for (const socket of this.#lingering) socket.destroy();
  }
}
