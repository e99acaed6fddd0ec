/** An in-process broker on free ports, with a clock that the test turns. Closed when the test that started it ends. */
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { AccessControl } from '../../src/auth/access/access-control.js';
import type { AuthenticationMethod } from '../../src/auth/authentication-method.js';
import type { Authenticator } from '../../src/auth/authenticator.js';
import { Broker } from '../../src/broker/broker.js';
import type { BrokerLimits, BrokerOptions } from '../../src/broker/broker-options.js';
import type { Clock } from '../../src/core/clock.js';
import type { Store } from '../../src/store/store.js';
import { ManualClock } from './manual-clock.js';
import { type ConnectFields, type PacketOf, RawClient } from './raw-client.js';

export interface TestBrokerOptions {
  readonly limits?: Partial<BrokerLimits>;
  readonly store?: Store;
  /** Work queues in the store, and what takes messages there. */
  readonly workQueues?: Pick<BrokerOptions, 'queues' | 'sink' | 'work'>;
  readonly access?: AccessControl;
  readonly authenticator?: Authenticator;
  readonly authenticationMethods?: readonly AuthenticationMethod[];
  /** Default: a ManualClock. */
  readonly clock?: Clock;
  readonly maxConnections?: number;
  readonly defence?: BrokerOptions['defence'];
  /** Default: nothing is logged. */
  readonly logger?: Logger;
}

export interface ConnectedClient {
  readonly client: RawClient;
  readonly connack: PacketOf<'connack'>;
}

export class TestBroker {
  readonly broker: Broker;
  readonly clock: ManualClock;
  #tcpPort = 0;
  #wsPort = 0;
  #clients: RawClient[] = [];
  readonly #connected = new Set<string>();
  readonly #gone = new Map<string, () => void>();

  private constructor(options: TestBrokerOptions) {
    this.clock = options.clock instanceof ManualClock ? options.clock : new ManualClock();
    const { store, access, authenticator, authenticationMethods = [], workQueues = {}, defence = {} } = options;
    this.broker = new Broker({
      clock: options.clock ?? this.clock,
      logger: options.logger ?? pino({ level: 'silent' }),
      limits: { sysIntervalSeconds: 0, ...options.limits },
      ...(store === undefined ? {} : { store }),
      ...(access === undefined ? {} : { access }),
      ...(authenticator === undefined ? {} : { authenticator }),
      authenticationMethods,
      defence,
      ...workQueues,
    });
    this.broker.events.on('clientConnected', ({ clientId }) => this.#connected.add(clientId));
    this.broker.events.on('clientDisconnected', ({ clientId }) => {
      this.#connected.delete(clientId);
      this.#gone.get(clientId)?.();
      this.#gone.delete(clientId);
    });
  }

  static async start(options: TestBrokerOptions = {}): Promise<TestBroker> {
    const test = new TestBroker(options);
    const host = '127.0.0.1';
    await test.broker.restore();
    const maxConnections = options.maxConnections ?? 10_000;
    const tcp = await test.broker.listen({ name: 'tcp', kind: 'tcp', host, port: 0, maxConnections });
    const ws = await test.broker.listen({ name: 'ws', kind: 'ws', host, port: 0, maxConnections, path: '/mqtt' });
    test.#tcpPort = tcp.port;
    test.#wsPort = ws.port;
    onTestFinished(() => test.#close());
    return test;
  }

  get tcpPort(): number {
    return this.#tcpPort;
  }

  get wsPort(): number {
    return this.#wsPort;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.#wsPort}/mqtt`;
  }

  /** A TCP connection that has sent nothing. */
  async open(version: 3 | 4 | 5): Promise<RawClient> {
    const client = await RawClient.openTcp(this.#tcpPort, version);
    this.#clients.push(client);
    return client;
  }

  async openWebSocket(version: 3 | 4 | 5, subprotocol?: string): Promise<RawClient> {
    const client = await RawClient.openWebSocket(this.wsUrl, version, subprotocol);
    this.#clients.push(client);
    return client;
  }

  /** An accepted client over TCP. Default version 5, clean, no keep alive. */
  async connect(clientId: string, fields: ConnectFields = {}): Promise<RawClient> {
    return (await this.connectFully(clientId, fields)).client;
  }

  /** The same, with its CONNACK. */
  async connectFully(clientId: string, fields: ConnectFields = {}): Promise<ConnectedClient> {
    const client = await this.open(fields.version ?? 5);
    const connack = await client.connect({ clientId, ...fields });
    const code = client.version === 5 ? connack.reasonCode : connack.returnCode;
    if (code !== 0) throw new Error(`the client was refused: ${JSON.stringify(connack)}`);
    return { client, connack };
  }

  /** Resolves when the broker has noticed that the client is gone. */
  async gone(clientId: string): Promise<void> {
    if (!this.#connected.has(clientId)) return;
    await new Promise<void>((resolve) => this.#gone.set(clientId, resolve));
  }

  /** Breaks the client's connection and waits until the broker has noticed. */
  async drop(client: RawClient, clientId: string): Promise<void> {
    client.destroy();
    await this.gone(clientId);
  }

  async #close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    const stopped = this.broker.stop(100);
    // The grace of stop() is measured on our clock.
    const ticking = setInterval(() => this.clock.advance(100), 10);
    await stopped.finally(() => clearInterval(ticking));
  }
}

/** How long a session with this expiry is kept: fields of CONNECT for either version. */
export function persistent(version: 4 | 5, expirySeconds = 3600): ConnectFields {
  if (version === 4) return { version, clean: false };
  return { version, clean: false, properties: { sessionExpiryInterval: expirySeconds } };
}
