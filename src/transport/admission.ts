/**
 * Who is let in by a listener: how many connections it may have, in all and of one address, and how fast they may come. Who is
 * turned away costs no more than that: it is closed at once, counted by its reason, and told of in the log now and then.
 *
 *   admit         when a socket has been accepted, whoever it is from
 *   admitClient   when it is known whose it is: at once, or after what a trusted proxy says
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.js';
import { NoticeLimit } from '../core/notice-limit.js';
import { TokenBucket } from '../core/token-bucket.js';
import { AddressTable } from './address-table.js';
import { CONNECTION_REFUSALS, type ConnectionRefusal, REFUSAL_TEXTS } from './connection-refusal.js';

/** Of one listener. What is left out has no limit. */
export interface AdmissionLimits {
  /** Connections at a time. */
  readonly maxConnections?: number | undefined;
  /** Connections at a time of one address; of IPv6, of one /64. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Connections a second. */
  readonly connectRate?: number | undefined;
  /** How many may come at once. Default: those of one second. */
  readonly connectBurst?: number | undefined;
  /** The same for one address. */
  readonly connectRatePerAddress?: number | undefined;
  readonly connectBurstPerAddress?: number | undefined;
}

/** What the broker knows of those who want in. */
export interface ConnectionGate {
  /** Nobody can be taken at the moment. */
  readonly isClosed: boolean;
  isBanned(address: string): boolean;
}

export interface AdmissionContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gate?: ConnectionGate;
  /** A socket has been accepted, whoever it is from. The event loop accepts one in a turn: more may wait. */
  readonly onAccepted?: () => void;
}

export class Admission {
  readonly #listener: string;
  readonly #maximum: number;
  readonly #context: AdmissionContext;
  readonly #bucket: TokenBucket | null;
  /** Null if addresses make no difference. */
  readonly #addresses: AddressTable | null;
  readonly #notices: NoticeLimit;
  readonly #refusals = new Map<ConnectionRefusal, number>(CONNECTION_REFUSALS.map((reason) => [reason, 0]));
  #open = 0;

  constructor(listener: string, limits: AdmissionLimits, context: AdmissionContext) {
    const { maxConnections, maxConnectionsPerAddress, connectRatePerAddress = 0 } = limits;
    const { connectRate = 0, connectBurst = connectRate, connectBurstPerAddress = connectRatePerAddress } = limits;
    this.#listener = listener;
    this.#context = context;
    this.#maximum = maxConnections ?? Number.POSITIVE_INFINITY;
    this.#bucket = connectRate === 0 ? null : new TokenBucket(connectRate, connectBurst, context.clock.now());
    const hasAddressLimits = maxConnectionsPerAddress !== undefined || connectRatePerAddress > 0;
    this.#addresses = hasAddressLimits
      ? new AddressTable({
          maximum: maxConnectionsPerAddress ?? Number.POSITIVE_INFINITY,
          rate: connectRatePerAddress,
          burst: connectBurstPerAddress,
        })
      : null;
    this.#notices = new NoticeLimit(context.clock);
  }

  /** Connections turned away so far. */
  get refused(): number {
    let total = 0;
    for (const count of this.#refusals.values()) total += count;
    return total;
  }

  get refusals(): ReadonlyMap<ConnectionRefusal, number> {
    return this.#refusals;
  }

  /** Counts the socket in until it closes. @returns false if there is no room: it has been destroyed */
  admit(socket: Socket): boolean {
    this.#context.onAccepted?.();
    const refusal = this.#refusalOf();
    if (refusal !== null) {
      this.refuse(socket, refusal);
      return false;
    }
    this.#open++;
    socket.on('close', this.#onClosed);
    return true;
  }

  /**
   * Counts the client in until its socket closes.
   * @param address where it is, by what is known of proxies
   * @returns why it is to be turned away, which has been counted and told; null if it is let in
   */
  admitClient(socket: Duplex, address: string): ConnectionRefusal | null {
    const refusal = this.#clientRefusal(socket, address);
    if (refusal !== null) this.count(refusal, address);
    return refusal;
  }

  /** Turns the connection away at once. */
  refuse(socket: Socket, refusal: ConnectionRefusal, address = socket.remoteAddress ?? ''): void {
    this.count(refusal, address);
    this.drop(socket);
  }

  /** Closes the connection without another word. */
  drop(socket: Duplex): void {
    socket.on('error', () => {});
    socket.destroy();
  }

  /** Somebody has been turned away. */
  count(refusal: ConnectionRefusal, remoteAddress: string): void {
    this.#refusals.set(refusal, (this.#refusals.get(refusal) ?? 0) + 1);
    const keptBack = this.#notices.offer(refusal);
    if (keptBack === null) return;
    const about = { listener: this.#listener, remoteAddress, reason: refusal, keptBack };
    this.#context.logger.warn(about, `connection refused: ${REFUSAL_TEXTS[refusal]}`);
  }

  #refusalOf(): ConnectionRefusal | null {
    if (this.#context.gate?.isClosed === true) return 'overloaded';
    return this.#open >= this.#maximum ? 'listener-full' : null;
  }

  // The listener's own rate comes last: what a single address sends in vain must not use it up for the others.
  #clientRefusal(socket: Duplex, address: string): ConnectionRefusal | null {
    const { clock, gate } = this.#context;
    if (gate?.isBanned(address) === true) return 'address-banned';
    const addresses = this.#addresses;
    const nowMs = clock.now();
    if (addresses !== null) {
      const entered = addresses.enter(address, nowMs);
      if (typeof entered === 'string') return entered;
      const leave = (): void => addresses.leave(entered, clock.now());
      // Who has gone meanwhile tells nobody any more.
      if (socket.closed) leave();
      else socket.once('close', leave);
    }
    return this.#bucket?.take(nowMs) === false ? 'listener-rate' : null;
  }

  // One function for all sockets: an idle connection costs no closure.
  readonly #onClosed = (): void => {
    this.#open--;
  };
}
