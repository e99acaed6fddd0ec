/**
 * The broker by HTTP, from before its store is opened until it has stopped: health from the first moment on, the administration as soon as
 * there is something to administer, and somebody to be told the token.
 *
 *   open ──▶ serve(queues, token) ──▶ onReady ──▶ drain ──▶ close
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { RoleAdministration } from '../auth/administration/role-administration.js';
import type { UserAdministration } from '../auth/administration/user-administration.js';
import type { AuditLog } from '../core/audit-log.js';
import type { TlsDoor } from '../transport/tls/tls-door.js';
import type { BanAdministration } from './ban-administration.js';
import { banRoutes } from './ban-routes.js';
import { BearerToken } from './bearer-token.js';
import { BrokerIdentity } from './broker-identity.js';
import { damagedQueueRoutes } from './damaged-queue-routes.js';
import { healthRoutes, type UnreadyReason } from './health-routes.js';
import { historyRoutes } from './history-routes.js';
import { HttpListener, type HttpListenerOptions } from './http-listener.js';
import { identityRoute } from './identity-route.js';
import { openApiDocument } from './openapi-document.js';
import { Problem } from './problem.js';
import type { QueueAdministration } from './queue-administration.js';
import { queueRoutes } from './queue-routes.js';
import { type AccessCheck, RequestHandler } from './request-handler.js';
import { RequestHosts } from './request-hosts.js';
import { roleRoutes } from './role-routes.js';
import { type Route, route } from './route.js';
import { RouteTable } from './route-table.js';
import { userRoutes } from './user-routes.js';

export interface HttpServiceOptions extends HttpListenerOptions {
  /** Names by which it is called beside its host. */
  readonly allowedHosts: readonly string[];
  readonly maximumBodyBytes: number;
  /** Of the broker. */
  readonly version: string;
  readonly logger: Logger;
  readonly audit?: AuditLog | undefined;
}

/** What can be administered, and by whom. */
export interface Administration {
  readonly queues: QueueAdministration;
  readonly users: UserAdministration;
  readonly roles: RoleAdministration;
  readonly bans: BanAdministration;
  /** null if there is none, and so nobody may. */
  readonly token: string | null;
  /** Whether what clients are promised can be kept. */
  readonly isStoreFailing: () => boolean;
}

type Phase = 'starting' | 'running' | 'stopping';

export class HttpService implements AccessCheck {
  /** Of this broker, from this start on. */
  readonly identity = new BrokerIdentity();
  #phase: Phase = 'starting';
  #administration: Administration | null = null;
  #token: BearerToken | null = null;
  #listener: HttpListener | null = null;

  private constructor() {}

  /** @throws HttpListenFailed @throws TlsUnusable */
  static async open(options: HttpServiceOptions): Promise<HttpService> {
    const service = new HttpService();
    const { host, allowedHosts, maximumBodyBytes, logger, audit } = options;
    const handler = new RequestHandler(new RouteTable(service.#routes(options)), {
      hosts: new RequestHosts(host, allowedHosts),
      access: service,
      maximumBodyBytes,
      logger,
      audit,
    });
    service.#listener = await HttpListener.open(options, (request, response) => {
      void handler.handle(request, response);
    });
    return service;
  }

  /** Where programs of this machine reach it. */
  get url(): string {
    return this.#listener?.url ?? '';
  }

  /** Null without TLS. */
  get tls(): TlsDoor | null {
    return this.#listener?.tls ?? null;
  }

  /** The store has been read: from now on queues, users, roles and bans can be administered. */
  serve(administration: Administration): void {
    this.#administration = administration;
    this.#token = administration.token === null ? null : new BearerToken(administration.token);
  }

  /** Clients can be served. */
  onReady(): void {
    this.#phase = 'running';
  }

  /** The broker stops: nobody should send it clients any more, and its queues are not to be touched. */
  drain(): void {
    this.#phase = 'stopping';
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  check(authorization: string | undefined): void {
    if (this.#phase === 'stopping') throw new Problem(503, 'stopping', 'The broker is stopping');
    if (this.#administration === null) throw starting();
    if (this.#token === null) {
      throw new Problem(403, 'admin-off', 'The administration is off: there is no token. Set http.adminToken');
    }
    if (this.#token.isGivenBy(authorization)) return;
    const detail = authorization === undefined ? 'A token is needed: Authorization: Bearer …' : 'This is not the token';
    throw new Problem(401, 'unauthorized', detail, { 'www-authenticate': 'Bearer realm="millrace"' });
  }

  #routes({ version, logger }: HttpServiceOptions): readonly Route[] {
    // Whoever gets past the check of access finds it there.
    const administration = (): Administration => this.#administration as Administration;
    const queues = (): QueueAdministration => administration().queues;
    const routes: Route[] = [
      ...healthRoutes(() => this.#unreadyReasons()),
      identityRoute((challenge) => this.#prove(challenge)),
      ...queueRoutes(queues, logger),
      ...historyRoutes(queues),
      ...damagedQueueRoutes(queues, logger),
      ...userRoutes(() => administration().users, logger),
      ...roleRoutes(() => administration().roles, logger),
      ...banRoutes(() => administration().bans, logger),
    ];
    const document = openApiDocument(routes, version);
    const describing = route({
      method: 'GET',
      path: '/openapi.json',
      summary: 'This description',
      isOpen: true,
      answers: { 200: z.unknown() },
      handle: () => ({ status: 200, body: document }),
    });
    return [...routes, describing];
  }

  /** Until the broker has started, the address file is that of an older one. */
  #prove(challenge: string): string {
    if (this.#phase === 'starting') throw starting();
    return this.identity.prove(challenge);
  }

  #unreadyReasons(): readonly UnreadyReason[] {
    if (this.#phase !== 'running') return [this.#phase];
    return this.#administration?.isStoreFailing() === true ? ['storage-failing'] : [];
  }
}

function starting(): Problem {
  return new Problem(503, 'starting', 'The broker is starting', { 'retry-after': '1' });
}
