/**
 * What stands behind the accept of a listener with the PROXY protocol: reads the header of a trusted proxy, and hands on the
 * socket with the client that it names. Whatever comes behind the header is left in the socket, for TLS, HTTP or MQTT.
 */
import type { Socket } from 'node:net';
import { AddressRanges } from '../../core/address-ranges.js';
import type { Clock } from '../../core/clock.js';
import { ProxyHeaderInvalid } from '../../core/errors.js';
import { CallbackTimer, TimingWheel } from '../../core/timing-wheel.js';
import type { ConnectionRefusal } from '../connection-refusal.js';
import type { ClientCertificate } from '../tls/client-certificate.js';
import { isUsableName } from '../tls/client-certificate.js';
import type { ProxiedPeer } from './proxied-peer.js';
import { type ProxyHeader, ProxyHeaderReader } from './proxy-header-reader.js';
import { DEFAULT_PROXY_TIMEOUT_MS, type ProxyProtocolOptions } from './proxy-options.js';

export interface ProxyDoorHost {
  /** @param peer null if it is who it seems to be. What has come in is buffered in the socket, which is paused. */
  onClient(socket: Socket, peer: ProxiedPeer | null): void;
  refuse(socket: Socket, refusal: ConnectionRefusal): void;
}

export class ProxyDoor {
  readonly #trusted: AddressRanges;
  readonly #isRequired: boolean;
  readonly #timeoutMs: number;
  readonly #takesUsername: boolean;
  readonly #wheel: TimingWheel;
  readonly #host: ProxyDoorHost;
  readonly #waiting = new Set<Socket>();

  /** @throws InvalidArgument for a range that is none */
  constructor(options: ProxyProtocolOptions, clock: Clock, host: ProxyDoorHost) {
    this.#trusted = new AddressRanges(options.trusted);
    this.#isRequired = options.required ?? true;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_PROXY_TIMEOUT_MS;
    this.#takesUsername = options.takesUsername ?? false;
    this.#wheel = new TimingWheel(clock);
    this.#host = host;
  }

  accept(socket: Socket): void {
    const { remoteAddress } = socket;
    // A probe that was broken off before we got to it.
    if (remoteAddress === undefined) socket.on('error', () => {}).destroy();
    else if (this.#trusted.contains(remoteAddress)) this.#read(socket);
    else if (this.#isRequired) this.#host.refuse(socket, 'proxy-untrusted');
    else this.#host.onClient(socket, null);
  }

  /** Those whose header has not come are let go of. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#wheel.stop();
  }

  #read(socket: Socket): void {
    const reader = new ProxyHeaderReader();
    const onData = (chunk: Buffer): void => this.#onData(socket, reader, chunk, finish);
    const onGone = (): void => {
      finish();
      socket.destroy();
    };
    const timer = new CallbackTimer(() => {
      finish();
      this.#host.refuse(socket, 'proxy-header-timeout');
    });
    const finish = (): void => {
      this.#wheel.cancel(timer);
      this.#waiting.delete(socket);
      socket.off('data', onData);
      socket.off('end', onGone);
      socket.off('close', onGone);
    };
    this.#waiting.add(socket);
    this.#wheel.arm(timer, this.#wheel.nowMs + this.#timeoutMs);
    socket.on('error', onGone);
    socket.on('end', onGone);
    socket.on('close', onGone);
    socket.on('data', onData);
  }

  #onData(socket: Socket, reader: ProxyHeaderReader, chunk: Buffer, finish: () => void): void {
    const outcome = read(reader, chunk);
    if (outcome === 'incomplete') return;
    finish();
    if (outcome === 'invalid' || (outcome === 'absent' && this.#isRequired)) {
      this.#host.refuse(socket, outcome === 'invalid' ? 'proxy-header-invalid' : 'proxy-header-missing');
      return;
    }
    socket.pause();
    if (reader.rest.length > 0) socket.unshift(reader.rest);
    this.#host.onClient(socket, reader.header === null ? null : this.#peerOf(reader.header));
  }

  #peerOf({ source, tlvs }: ProxyHeader): ProxiedPeer | null {
    return source === null ? null : { ...source, certificate: this.#certificateOf(tlvs.commonName) };
  }

  #certificateOf(commonName: string | null): ClientCertificate | null {
    if (!this.#takesUsername || commonName === null || !isUsableName(commonName)) return null;
    // How long it is valid, and who vouches for it, the proxy knows.
    const unknown = { fingerprint: '', expiresAtMs: Number.POSITIVE_INFINITY, isWithdrawn: false };
    return { username: commonName, subject: `CN=${commonName}`, ...unknown };
  }
}

function read(reader: ProxyHeaderReader, chunk: Buffer): 'incomplete' | 'complete' | 'absent' | 'invalid' {
  try {
    return reader.push(chunk);
  } catch (error) {
    if (error instanceof ProxyHeaderInvalid) return 'invalid';
    throw error;
  }
}
