/** The broker's HTTP side put together: opened before the store is, so that a probe is answered while that is being recovered. */
import type { Logger } from 'pino';
import { decodePublishProperties } from '../codec/publish-properties.js';
import { AuditLog } from '../core/audit-log.js';
import type { Clock } from '../core/clock.js';
import { ensureAdminToken, removeAdminAddress, writeAdminAddress } from '../http/admin-files.js';
import { BanAdministration } from '../http/ban-administration.js';
import { HttpService } from '../http/http-service.js';
import { QueueAdministration } from '../http/queue-administration.js';
import { whenStored } from '../http/stored-change.js';
import type { Store } from '../store/store.js';
import { TlsDoor } from '../transport/tls/tls-door.js';
import type { BrokerAdministration } from './administration.js';
import type { Settings } from './config-schema.js';
import { storageSettings, usesDirectory } from './storage-options.js';
import { tlsOptions } from './tls-settings.js';
import { packageVersion } from './version.js';
import type { WorkQueues } from './work-queues.js';

export class BrokerHttp {
  readonly #service: HttpService;
  /** null if nothing is stored. */
  readonly #directory: string | null;
  readonly #givenToken: string | null;
  readonly #clock: Clock;

  private constructor(service: HttpService, settings: Settings, clock: Clock) {
    const storage = storageSettings(settings);
    this.#service = service;
    this.#directory = usesDirectory(storage) ? storage.directory : null;
    this.#givenToken = settings.http.adminToken ?? null;
    this.#clock = clock;
  }

  /** @returns null if it is switched off @throws HttpListenFailed @throws TlsUnusable */
  static async open(settings: Settings, clock: Clock, logger: Logger): Promise<BrokerHttp | null> {
    const { enabled, host, port, allowedHosts, maxConnections, maxBodySize, requestTimeout } = settings.http;
    if (!enabled) return null;
    const tls = tlsOptions(settings.http.tls);
    const service = await HttpService.open({
      host,
      port,
      allowedHosts,
      maximumConnections: maxConnections,
      maximumBodyBytes: maxBodySize,
      requestTimeoutMs: Math.round(requestTimeout * 1000),
      version: packageVersion(),
      logger,
      audit: new AuditLog(logger, clock, settings.log.audit),
      openTls:
        tls === undefined
          ? undefined
          : (onSecure) => new TlsDoor({ name: 'http', tls, applicationProtocol: 'http/1.1', clock, logger }, onSecure),
    });
    return new BrokerHttp(service, settings, clock);
  }

  /** Where programs of this machine reach it. */
  get url(): string {
    return this.#service.url;
  }

  /** What TLS has to tell, below `$SYS/broker/`. */
  figures(): Iterable<readonly [topic: string, value: number]> {
    return this.#service.tls?.topics() ?? [];
  }

  /** The broker serves clients: it can be administered from now on, too. @throws AdminFileUnusable */
  async onStarted(
    store: Store,
    { registry, pushes }: WorkQueues,
    { users, roles, bans }: BrokerAdministration,
  ): Promise<void> {
    const directory = this.#directory;
    const token = this.#givenToken ?? (directory === null ? null : await ensureAdminToken(directory));
    this.#service.serve({
      queues: new QueueAdministration(registry, this.#clock, decodePublishProperties, (queue) =>
        pushes.statisticsOf(queue),
      ),
      users,
      roles,
      bans: new BanAdministration(bans, (ticket) => whenStored(registry, this.#clock, ticket)),
      token,
      isStoreFailing: () => store.health.state === 'failing',
    });
    this.#service.onReady();
    if (directory !== null) await writeAdminAddress(directory, this.url, this.#service.identity);
  }

  /** The broker is about to stop. */
  async onStopping(): Promise<void> {
    this.#service.drain();
    if (this.#directory !== null) await removeAdminAddress(this.#directory);
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}
