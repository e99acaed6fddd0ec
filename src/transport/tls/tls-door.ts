/**
 * What stands between a listener and its clients where TLS is spoken: takes the sockets that come in, makes TLS of them, tells
 * who the client is, and goes on serving with new files when they change. Those who are connected stay so, unless they are not
 * trusted any more.
 *
 *   socket ──▶ PendingHandshakes ──▶ tls.Server (never listens itself) ──▶ certificate judged ──▶ the listener
 *   files  ──▶ FileWatch ──▶ ServedCertificates ──▶ tls.Server
 */
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.js';
import { InvalidArgument } from '../../core/errors.js';
import { NoticeLimit } from '../../core/notice-limit.js';
import type { ProxiedPeer } from '../proxy/proxied-peer.js';
import { type ClientCertificate, usernameIn } from './client-certificate.js';
import { ClientTrust } from './client-trust.js';
import { FileWatch } from './file-watch.js';
import { FAILURE_TEXTS, failureOfCode, failureOfVerification, type HandshakeFailure } from './handshake-failure.js';
import { PendingHandshakes } from './pending-handshakes.js';
import { ServedCertificates } from './served-certificates.js';
import { ShownCertificate } from './shown-certificate.js';
import { TlsFigures } from './tls-figures.js';
import { filesOf } from './tls-material.js';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, DEFAULT_MAXIMUM_HANDSHAKES, type TlsOptions } from './tls-options.js';

type SniCallback = (error: Error | null, context?: SecureContext) => void;

const DAY_MS = 24 * 3600 * 1000;

export interface TlsDoorOptions {
  /** The listener's, for the log. */
  readonly name: string;
  readonly tls: TlsOptions;
  /** What ALPN calls that which is spoken inside. Clients that do not ask by ALPN are served. */
  readonly applicationProtocol: 'mqtt' | 'http/1.1';
  readonly clock: Clock;
  readonly logger: Logger;
  /** Certificates of clients that are connected may be withdrawn now. Default: nobody asks. */
  readonly onTrustChanged?: (() => void) | undefined;
}

/** The client has been let in; `certificate` is its own, if it has shown one; `peer` who it is if it came through a proxy. */
export type SecureHandler = (
  socket: TLSSocket,
  certificate: ClientCertificate | null,
  peer: ProxiedPeer | null,
) => void;

export class TlsDoor {
  readonly figures = new TlsFigures();
  readonly #name: string;
  readonly #tls: TlsOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onSecure: SecureHandler;
  readonly #certificates: ServedCertificates;
  readonly #trust: ClientTrust;
  readonly #onTrustChanged: () => void;
  readonly #server: Server;
  readonly #pending: PendingHandshakes;
  readonly #notices: NoticeLimit;
  readonly #watch: FileWatch;
  #expiryToldAtMs = Number.NEGATIVE_INFINITY;

  /** @throws TlsUnusable if the files cannot be used; every problem is in its message */
  constructor(options: TlsDoorOptions, onSecure: SecureHandler) {
    const { name, tls, applicationProtocol, clock, logger } = options;
    if (tls.ca === undefined && (tls.clientCertificate ?? 'none') !== 'none') {
      const message = 'certificates of clients cannot be checked without those of their authorities (ca)';
      throw new InvalidArgument(`listener "${name}": ${message}`);
    }
    this.#name = name;
    this.#tls = tls;
    this.#clock = clock;
    this.#logger = logger.child({ listener: name });
    this.#onSecure = onSecure;
    this.#notices = new NoticeLimit(clock);
    this.#certificates = new ServedCertificates(name, tls);
    this.#trust = new ClientTrust(this.#certificates.material);
    this.#onTrustChanged = options.onTrustChanged ?? (() => {});
    const timeoutMs = tls.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS;
    const maximum = tls.maximumHandshakes ?? DEFAULT_MAXIMUM_HANDSHAKES;
    this.#pending = new PendingHandshakes(maximum, timeoutMs, clock, (failure, remoteAddress) =>
      this.#onFailure(failure, remoteAddress),
    );
    this.#server = this.#makeServer(applicationProtocol, timeoutMs);
    this.#watch = new FileWatch(filesOf(tls), clock, () => this.reload());
    this.#tellExpiry();
  }

  /** Handshakes that are going on. */
  get pendingHandshakes(): number {
    return this.#pending.size;
  }

  /** Until the first of the certificates expires; negative if one has. */
  get daysUntilExpiry(): number {
    return Math.floor((this.#certificates.expiresAtMs - this.#clock.now()) / DAY_MS);
  }

  /** Takes a socket over that has just been accepted. @param peer who is behind the proxy that it is of */
  accept(socket: Socket, peer: ProxiedPeer | null = null): void {
    // A client that has closed its side in the middle of a handshake has gone.
    socket.allowHalfOpen = false;
    if (this.#pending.begin(socket, peer)) this.#server.emit('connection', socket);
  }

  /**
   * Reads the files again and, if their content has changed and can be used, serves new connections with it. Who is connected by a
   * certificate that is not trusted with them is told to the owner.
   * @returns false if they cannot be used: what was in use stays so
   */
  reload(): boolean {
    const outcome = this.#certificates.reload();
    if (outcome === 'bad') {
      this.figures.failedReloads++;
      const { problems } = this.#certificates;
      this.#logger.error({ problems }, 'changed TLS files cannot be used: those before stay in use');
    } else if (outcome !== 'same') {
      this.#server.setSecureContext(this.#certificates.contextOptions());
      this.figures.reloads++;
      this.#expiryToldAtMs = Number.NEGATIVE_INFINITY;
      const { names } = this.#certificates;
      this.#logger.info({ certificates: names }, 'TLS files have changed: new connections are served with them');
      if (outcome === 'trust') {
        this.#trust.replace(this.#certificates.material, this.#clock.now());
        this.#onTrustChanged();
      }
    }
    this.#tellExpiry();
    return this.#certificates.problems.length === 0;
  }

  /** Below `$SYS/broker/`. */
  *topics(): Generator<readonly [topic: string, value: number]> {
    const { completed, resumed, reloads, failedReloads } = this.figures;
    const prefix = `tls/${this.#name}`;
    yield [`${prefix}/days until expiry`, this.daysUntilExpiry];
    yield [`${prefix}/handshakes/pending`, this.pendingHandshakes];
    yield [`${prefix}/handshakes/completed`, completed];
    yield [`${prefix}/handshakes/resumed`, resumed];
    for (const [reason, count] of this.figures.failures()) yield [`${prefix}/handshakes/failed/${reason}`, count];
    yield [`${prefix}/reloads/done`, reloads];
    yield [`${prefix}/reloads/failed`, failedReloads];
  }

  /** Takes nothing more; handshakes that are going on are ended. */
  close(): void {
    this.#watch.close();
    this.#pending.close();
  }

  // ---------------------------------------------------------------- handshakes

  #makeServer(applicationProtocol: string, timeoutMs: number): Server {
    const { clientCertificate: policy = 'none', certificates } = this.#tls;
    const server = createServer({
      ...this.#certificates.contextOptions(),
      ALPNProtocols: [applicationProtocol],
      requestCert: policy !== 'none',
      // The decision is ours: Node would close without telling why.
      rejectUnauthorized: false,
      // PendingHandshakes comes first; this is for what it should not see.
      handshakeTimeout: 2 * timeoutMs,
      ...(certificates.length > 1
        ? { SNICallback: (name: string, callback: SniCallback) => callback(null, this.#certificates.contextFor(name)) }
        : {}),
    });
    server.on('secureConnection', (socket) => this.#onHandshake(socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#onHandshakeError(error, socket));
    return server;
  }

  #onHandshake(socket: TLSSocket): void {
    // It has taken too long meanwhile.
    const pending = this.#pending.end(socket);
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    const judged = this.#judge(socket, pending.beganAtMs);
    if (typeof judged === 'string') {
      socket.on('error', () => {});
      socket.destroy();
      this.#onFailure(judged, pending.remoteAddress);
      return;
    }
    this.figures.completed++;
    if (socket.isSessionReused()) this.figures.resumed++;
    this.#onSecure(socket, judged ?? pending.peer?.certificate ?? null, pending.peer);
  }

  /** @returns the client's certificate, or why it is not let in */
  #judge(socket: TLSSocket, beganAtMs: number): ClientCertificate | null | HandshakeFailure {
    const { clientCertificate: policy = 'none', username } = this.#tls;
    if (policy === 'none') return null;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return policy === 'require' ? 'certificate-missing' : null;
    if (!socket.authorized) return failureOfVerification(String(socket.authorizationError));
    // A session that is resumed was verified when it began. All others just have been, by the time of the machine.
    const hasExpired = Date.parse(certificate.validTo) <= this.#clock.now();
    if (hasExpired && socket.isSessionReused()) return 'certificate-expired';
    const name = username === undefined ? null : usernameIn(certificate, username);
    if (name === undefined) return 'certificate-without-name';
    return new ShownCertificate(certificate, name, socket, this.#trust, beganAtMs);
  }

  #onHandshakeError(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { remoteAddress = '' } = socket;
    socket.destroy();
    // The end of a connection is seen by PendingHandshakes, which also knows whether it was our own doing.
    if (error.code?.startsWith('ERR_') !== true) return;
    const pending = this.#pending.end(socket);
    this.#onFailure(failureOfCode(error.code), pending?.remoteAddress ?? remoteAddress, error.code);
  }

  #onFailure(failure: HandshakeFailure, remoteAddress: string, code?: string): void {
    this.figures.countFailure(failure);
    const fields = { reason: failure, remoteAddress, ...(code === undefined ? {} : { code }) };
    // Probes of load balancers connect and go.
    const keptBack = failure === 'connection-lost' ? null : this.#notices.offer(failure);
    const text = `TLS handshake failed: ${FAILURE_TEXTS[failure] ?? failure}`;
    if (keptBack === null) this.#logger.debug(fields, text);
    else this.#logger.warn(keptBack === 0 ? fields : { ...fields, keptBack }, text);
  }

  /** Once a day, and at once for other files. */
  #tellExpiry(): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#expiryToldAtMs < DAY_MS) return;
    this.#expiryToldAtMs = nowMs;
    for (const { text, ...fields } of this.#certificates.expiryNotices(nowMs)) this.#logger.warn(fields, text);
  }
}

/**
 * Has TLS spoken on the connections of an HTTP server, whose own limits hold inside as they do without TLS.
 * @param open makes the door, with what is to be done with a socket that has come through
 */
export function putBehind(server: HttpServer, open: (serve: (socket: TLSSocket) => void) => TlsDoor): TlsDoor {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const door = open((socket) => {
    for (const listener of listeners) listener.call(server, socket);
  });
  server.on('connection', (socket: Socket) => {
    // Somebody before us may have turned it away.
    if (!socket.destroyed) door.accept(socket);
  });
  return door;
}
