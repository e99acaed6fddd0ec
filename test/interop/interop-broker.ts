/** The broker that programs of others talk to: in this process, on free ports, with the machine's clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker } from '../../src/broker/broker.js';
import type { BrokerLimits } from '../../src/broker/broker-options.js';

export class InteropBroker {
  readonly broker: Broker;
  readonly #subscribed: string[] = [];
  readonly #connected = new Set<string>();

  private constructor(broker: Broker) {
    this.broker = broker;
    broker.events.on('subscribed', ({ clientId, filter }) => this.#subscribed.push(`${clientId} ${filter}`));
    broker.events.on('clientConnected', ({ clientId }) => this.#connected.add(clientId));
    broker.events.on('clientDisconnected', ({ clientId }) => this.#connected.delete(clientId));
  }

  static async start(limits: Partial<BrokerLimits> = {}): Promise<InteropBroker> {
    const host = '127.0.0.1';
    const broker = await Broker.start({
      limits,
      listeners: [
        { name: 'tcp', kind: 'tcp', host, port: 0 },
        { name: 'ws', kind: 'ws', host, port: 0 },
      ],
    });
    return new InteropBroker(broker);
  }

  get port(): string {
    return String(this.broker.listeners[0]?.port);
  }

  get wsPort(): string {
    return String(this.broker.listeners[1]?.port);
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.wsPort}/mqtt`;
  }

  /** Waits for a subscription, made now or before; once for each. */
  async subscribed(clientId: string, filter: string): Promise<void> {
    const wanted = `${clientId} ${filter}`;
    await until(`${clientId} to subscribe to ${filter}`, () => this.#subscribed.includes(wanted));
    this.#subscribed.splice(this.#subscribed.indexOf(wanted), 1);
  }

  /** Waits for the client's connection to be there, or to be gone. */
  async connected(clientId: string, isConnected = true): Promise<void> {
    const state = isConnected ? 'connect' : 'be gone';
    await until(`${clientId} to ${state}`, () => this.#connected.has(clientId) === isConnected);
  }

  async stop(): Promise<void> {
    await this.broker.stop(1000);
  }
}

/** Waits for what other programs bring about. Names what did not come. */
export async function until(what: string, isSo: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}
