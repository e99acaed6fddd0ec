/** A broker within the test's process that remembers what it logged as an error. */
import { pino } from 'pino';
import { Broker } from '../../../src/broker/broker.js';
import type { BrokerLimits, BrokerOptions } from '../../../src/broker/broker-options.js';
import { type Clock, SystemClock } from '../../../src/core/clock.js';

export interface QuietBroker {
  readonly broker: Broker;
  readonly errors: string[];
}

export function quietBroker(
  limits: Partial<BrokerLimits> = {},
  options: Partial<BrokerOptions> & { clock?: Clock } = {},
): QuietBroker {
  const errors: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) });
  // Refusals are what most of these tests are about.
  const common = { clock: new SystemClock(), logger, limits, audit: 'off', defence: { takeovers: 0 } } as const;
  const broker = new Broker({ ...common, ...options });
  return { broker, errors };
}

export async function listen(broker: Broker): Promise<number> {
  const listener = await broker.listen({
    name: 'tcp',
    kind: 'tcp',
    host: '127.0.0.1',
    port: 0,
    maxConnections: 10_000,
  });
  return listener.port;
}
