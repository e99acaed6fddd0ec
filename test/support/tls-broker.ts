/** A broker with listeners for TLS, and clients for them. Closed when the test that started it ends. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import type { BrokerLimits } from '../../src/broker/broker-options.js';
import type { TlsDoor } from '../../src/transport/tls/tls-door.js';
import type { TlsOptions } from '../../src/transport/tls/tls-options.js';
import { ManualClock } from './manual-clock.js';
import { RawClient } from './raw-client.js';

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly [field: string]: unknown;
}

export interface TlsBrokerOptions {
  readonly kind?: 'tcp' | 'ws';
  readonly limits?: Partial<BrokerLimits>;
  readonly maxConnections?: number;
}

export class TlsBroker {
  // Certificates are checked by OpenSSL, which asks the machine for the time.
  readonly clock = new ManualClock(Date.now());
  readonly lines: LogLine[] = [];
  readonly broker: Broker;
  #port = 0;
  #door: TlsDoor | null = null;

  private constructor(limits: Partial<BrokerLimits>) {
    this.broker = new Broker({
      clock: this.clock,
      logger: this.#logger(),
      limits: { sysIntervalSeconds: 0, ...limits },
    });
  }

  static async start(tls: TlsOptions, options: TlsBrokerOptions = {}): Promise<TlsBroker> {
    const { kind = 'tcp', limits = {}, maxConnections = 1000 } = options;
    const test = new TlsBroker(limits);
    onTestFinished(() => test.#close());
    await test.broker.restore();
    const listener = await test.broker.listen({ name: 'tls', kind, host: '127.0.0.1', port: 0, maxConnections, tls });
    test.#port = listener.port;
    test.#door = listener.tls;
    return test;
  }

  get port(): number {
    return this.#port;
  }

  get door(): TlsDoor {
    return this.#door as TlsDoor;
  }

  /** A connection whose handshake is done, as far as the client knows. */
  async secure(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = this.connect(options);
    await once(socket, 'secureConnect');
    return socket;
  }

  connect(options: ConnectionOptions): TLSSocket {
    const socket = connectTls({ port: this.#port, host: '127.0.0.1', ...options });
    onTestFinished(() => void socket.destroy());
    return socket;
  }

  /** An MQTT client over TLS that has sent nothing. */
  async open(options: ConnectionOptions, version: 4 | 5 = 5): Promise<RawClient> {
    return new RawClient(await this.secure(options), version);
  }

  /** Lets time pass, in small steps, until `isSo`. */
  async passUntil(what: string, isSo: () => boolean | Promise<boolean>, stepMs = 100): Promise<void> {
    for (let step = 0; step < 400; step++) {
      if (await isSo()) return;
      this.clock.advance(stepMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`waited in vain for ${what}`);
  }

  /** Waits until the log has a line with this text. */
  async logged(text: string): Promise<LogLine> {
    const find = () => this.lines.find(({ msg }) => msg.includes(text));
    for (let step = 0; step < 1000 && find() === undefined; step++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const line = find();
    if (line === undefined) throw new Error(`"${text}" was not logged: ${JSON.stringify(this.lines)}`);
    return line;
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
