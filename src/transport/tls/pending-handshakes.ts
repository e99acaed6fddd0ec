/**
 * The TLS handshakes that are going on: bounded in number and in time. When there are as many as are allowed, the oldest makes
 * room if it has not sent a byte; who sends is served, so that a fleet coming back is not turned away by those who only hold on.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.js';
import { TimingWheel, WheelTimer } from '../../core/timing-wheel.js';
import type { ProxiedPeer } from '../proxy/proxied-peer.js';
import type { HandshakeFailure } from './handshake-failure.js';

/** Nobody is called silent before a packet could have crossed the world. */
const SILENCE_MS = 1000;

export class PendingHandshakes {
  readonly #maximum: number;
  readonly #timeoutMs: number;
  readonly #wheel: TimingWheel;
  readonly #onFailure: (failure: HandshakeFailure, remoteAddress: string) => void;
  /** By address and port of the peer, in the order of their beginning. */
  readonly #pending = new Map<string, PendingHandshake>();

  constructor(
    maximum: number,
    timeoutMs: number,
    clock: Clock,
    onFailure: (failure: HandshakeFailure, remoteAddress: string) => void,
  ) {
    this.#maximum = maximum;
    this.#timeoutMs = timeoutMs;
    this.#wheel = new TimingWheel(clock);
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * @param peer who is behind the proxy that the socket is of; null if there is none
   * @returns false if there is no room: the socket has been destroyed
   */
  begin(socket: Socket, peer: ProxiedPeer | null): boolean {
    const remoteAddress = peer?.address ?? socket.remoteAddress;
    if (remoteAddress === undefined) {
      // It was broken off before we got to it.
      socket.on('error', () => {});
      socket.destroy();
      this.#onFailure('connection-lost', '');
      return false;
    }
    if (this.#pending.size >= this.#maximum && !this.#dropSilent()) {
      socket.on('error', () => {});
      socket.destroy();
      this.#onFailure('too-many-handshakes', remoteAddress);
      return false;
    }
    const key = keyOf(socket);
    const handshake = new PendingHandshake(socket, peer, remoteAddress, this.#wheel.nowMs, () =>
      this.#fail(socket, key, remoteAddress, 'timeout'),
    );
    this.#pending.set(key, handshake);
    this.#wheel.arm(handshake, this.#wheel.nowMs + this.#timeoutMs);
    socket.once('close', () => this.#fail(socket, key, remoteAddress, 'connection-lost'));
    return true;
  }

  /**
   * The handshake is over, well or not.
   * @param socket the one that came in, or the one that TLS has made of it
   * @returns who it was with; undefined if it had been ended already
   */
  end(socket: Socket): HandshakePeer | undefined {
    return this.#take(keyOf(socket));
  }

  /** Ends those that are going on, without counting them. */
  close(): void {
    for (const handshake of [...this.#pending.values()]) {
      this.#take(keyOf(handshake.socket));
      handshake.socket.destroy();
    }
    this.#pending.clear();
    this.#wheel.stop();
  }

  #fail(socket: Socket, key: string, remoteAddress: string, failure: HandshakeFailure): void {
    // A port may have been taken again by another connection since.
    if (this.#pending.get(key)?.socket !== socket) return;
    this.#take(key);
    socket.destroy();
    this.#onFailure(failure, remoteAddress);
  }

  #dropSilent(): boolean {
    const [oldest] = this.#pending;
    if (oldest === undefined) return false;
    const [key, { socket, beganAtMs, remoteAddress }] = oldest;
    if (socket.bytesRead > 0 || this.#wheel.nowMs - beganAtMs < SILENCE_MS) return false;
    this.#fail(socket, key, remoteAddress, 'timeout');
    return true;
  }

  #take(key: string): PendingHandshake | undefined {
    const handshake = this.#pending.get(key);
    if (handshake === undefined) return undefined;
    this.#pending.delete(key);
    this.#wheel.cancel(handshake);
    return handshake;
  }
}

/** Whom a handshake is with. */
export interface HandshakePeer {
  /** Null if it is who it seems to be. */
  readonly peer: ProxiedPeer | null;
  readonly remoteAddress: string;
  readonly beganAtMs: number;
}

class PendingHandshake extends WheelTimer implements HandshakePeer {
  readonly socket: Socket;
  readonly peer: ProxiedPeer | null;
  readonly remoteAddress: string;
  readonly beganAtMs: number;
  readonly #onTimeout: () => void;

  constructor(
    socket: Socket,
    peer: ProxiedPeer | null,
    remoteAddress: string,
    beganAtMs: number,
    onTimeout: () => void,
  ) {
    super();
    this.socket = socket;
    this.peer = peer;
    this.remoteAddress = remoteAddress;
    this.beganAtMs = beganAtMs;
    this.#onTimeout = onTimeout;
  }

  override onDue(): void {
    this.#onTimeout();
  }
}

/** The socket that TLS makes does not name the one that it was made of, but both have the same peer. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
