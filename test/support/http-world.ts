/** The broker's HTTP side over a real socket, with queues of a test's own: in memory, or in a store. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { FileChanges } from '../../src/auth/administration/file-changes.js';
import { RoleAdministration } from '../../src/auth/administration/role-administration.js';
import { UserAdministration } from '../../src/auth/administration/user-administration.js';
import { BanList } from '../../src/broker/defence/ban-list.js';
import { decodePublishProperties } from '../../src/codec/publish-properties.js';
import { BanAdministration } from '../../src/http/ban-administration.js';
import { HttpService, type HttpServiceOptions } from '../../src/http/http-service.js';
import { QueueAdministration } from '../../src/http/queue-administration.js';
import type { QueueRegistry } from '../../src/queues/queue-registry.js';
import { NO_TICKET } from '../../src/store/ticket.js';
import type { ManualClock } from './manual-clock.js';
import { QueueWorld } from './queue-world.js';

export const TOKEN = 'a-token-that-is-long-enough';

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface HttpWorldOptions extends Partial<HttpServiceOptions> {
  /** Without queues to administer: as while the broker starts. */
  readonly isStarting?: boolean;
  readonly token?: string | null;
}

/** Another registry after a crash. */
interface AdministeredWorld {
  readonly registry: QueueRegistry;
  readonly clock: ManualClock;
}

export class HttpWorld<World extends AdministeredWorld = QueueWorld> {
  readonly queues: World;
  readonly service: HttpService;
  /** What has been logged. */
  readonly lines: string[];
  isStoreFailing = false;

  private constructor(queues: World, service: HttpService, lines: string[]) {
    this.queues = queues;
    this.service = service;
    this.lines = lines;
  }

  static async start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
    return await HttpWorld.over(new QueueWorld(), options);
  }

  static async over<World extends AdministeredWorld>(
    queues: World,
    { isStarting = false, token = TOKEN, ...options }: HttpWorldOptions = {},
  ): Promise<HttpWorld<World>> {
    const lines: string[] = [];
    const service = await HttpService.open({
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      maximumConnections: 100,
      maximumBodyBytes: 4096,
      requestTimeoutMs: 5000,
      version: '1.2.3',
      logger: pino({ level: 'info' }, { write: (line) => void lines.push(line) }),
      ...options,
    });
    const world = new HttpWorld(queues, service, lines);
    onTestFinished(() => service.close());
    onTestFinished(() => world.queues.registry.stop());
    if (!isStarting) world.serve(token);
    return world;
  }

  serve(token: string | null = TOKEN): void {
    const { registry, clock } = this.queues;
    this.service.serve({
      queues: new QueueAdministration(registry, clock, decodePublishProperties),
      ...nothingElse(clock),
      token,
      isStoreFailing: () => this.isStoreFailing,
    });
    this.service.onReady();
  }

  get port(): number {
    return Number(new URL(this.service.url).port);
  }

  /** With the token; `body` is sent as JSON. */
  async call(method: string, path: string, body?: unknown): Promise<HttpReply> {
    return await this.send(method, path, { authorization: `Bearer ${TOKEN}` }, body);
  }

  async send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<HttpReply> {
    const response = await fetch(`${this.service.url}${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  }

  /** Writes `text` on a connection of its own. @returns everything that comes back until the broker closes it */
  async raw(text: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', () => {});
    socket.write(text);
    await once(socket, 'close');
    return received;
  }
}

/** One turn of the event loop after the other, until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** No files of users and roles, and bans that are nowhere stored. */
function nothingElse(clock: ManualClock) {
  const changes = new FileChanges();
  const journal = { noteSaved: () => NO_TICKET, noteRemoved: () => NO_TICKET };
  return {
    users: new UserAdministration([], {
      changes,
      inTurn: (work) => work(),
      rolesOf: () => [],
      endWithdrawn: async () => {},
    }),
    roles: new RoleAdministration(null, {
      changes,
      inForce: () => null,
      tryText: () => ({ problems: [], takeEffect: () => {} }),
    }),
    bans: new BanAdministration(new BanList([], clock, journal, () => {}), async () => {}),
  };
}
