/** A broker with one listener of the test's choice, and plain sockets to it. Closed when the test that started it ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import type { BrokerOptions } from '../../src/broker/broker-options.js';
import type { Listener, ListenerOptions } from '../../src/transport/listener.js';
import { ManualClock } from './manual-clock.js';
import { RawClient } from './raw-client.js';
import type { LogLine } from './tls-broker.js';

export class ListenerBroker {
  // Certificates are checked by OpenSSL, which asks the machine for the time.
  readonly clock = new ManualClock(Date.now());
  readonly lines: LogLine[] = [];
  readonly broker: Broker;
  #listener: Listener | null = null;

  private constructor(options: BrokerOptions) {
    const { limits, ...rest } = options;
    this.broker = new Broker({
      clock: this.clock,
      logger: this.#logger(),
      limits: { sysIntervalSeconds: 0, ...limits },
      ...rest,
    });
  }

  static async start(options: Partial<ListenerOptions> = {}, broker: BrokerOptions = {}): Promise<ListenerBroker> {
    const test = new ListenerBroker(broker);
    onTestFinished(() => test.#close());
    await test.broker.restore();
    test.#listener = await test.broker.listen({ name: 'test', kind: 'tcp', host: '127.0.0.1', port: 0, ...options });
    return test;
  }

  get listener(): Listener {
    if (this.#listener === null) throw new Error('the listener is not open yet');
    return this.#listener;
  }

  /** A connection from an address of this machine: 127.0.0.1, or any other one of 127.0.0.0/8. */
  async socket(localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ port: this.listener.port, host: '127.0.0.1', localAddress, noDelay: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async client(version: 3 | 4 | 5 = 5, localAddress?: string): Promise<RawClient> {
    return new RawClient(await this.socket(localAddress), version);
  }

  /** What the next client is, as the broker tells. */
  async connected(): Promise<{ readonly clientId: string; readonly username: string | null; remoteAddress: string }> {
    const [client] = await once(this.broker.events, 'clientConnected');
    return client as { clientId: string; username: string | null; remoteAddress: string };
  }

  #logger(): Logger {
    return pino({ level: 'debug' }, { write: (line: string) => void this.lines.push(JSON.parse(line) as LogLine) });
  }

  async #close(): Promise<void> {
    const stopped = this.broker.stop(100);
    // The grace of stop() is measured on our clock.
    const ticking = setInterval(() => this.clock.advance(100), 10);
    await stopped.finally(() => clearInterval(ticking));
  }
}
