/**
 * The tests that aedes-persistence has for every implementation, over our store: once on what is in memory, once on what
 * is found when everything has been closed and opened again. For `node --test`: they use its assertions.
 */
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { StorePersistence } from './store-persistence.js';

type TestBody = (t: TestContext) => Promise<void>;

interface AbstractSuiteOptions {
  readonly test: (name: string, body: TestBody) => void;
  readonly testAsync: boolean;
  readonly persistence: () => Promise<StorePersistence>;
  readonly buildEmitter: () => object;
}

const require = createRequire(import.meta.url);
// The package stands beside the one that we depend on, which may have it to itself.
const fromPackage = createRequire(require.resolve('aedes-persistence-level'));
const runAbstractSuite = fromPackage('aedes-persistence/abstract') as (options: AbstractSuiteOptions) => void;

/** What contradicts MQTT, by name, with the reason. */
const EXCLUDED = new Map([
  [
    'update to publish w/ same messageId',
    'two messages on their way to one client under one packet identifier [MQTT-2.2.1-4]',
  ],
  [
    'add outgoing packet as a string and stream',
    'a payload is bytes (section 3.3.3): as such it is stored, and what it was made of is not',
  ],
]);

function emitter(): object {
  const events = new EventEmitter();
  return { emit: () => {}, on: events.on.bind(events), removeListener: events.removeListener.bind(events) };
}

function run(title: string, reopensBeforeReading: boolean): void {
  runAbstractSuite({
    test: (name, body) => {
      const reason = EXCLUDED.get(name);
      if (reason === undefined) test(`${title}: ${name}`, body);
    },
    testAsync: true,
    buildEmitter: emitter,
    persistence: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'millrace-contract-'));
      return new StorePersistence({
        location: join(directory, 'store'),
        reopensBeforeReading,
        onDestroyed: () => rm(directory, { recursive: true }),
      });
    },
  });
}

run('in memory', false);
run('opened again', true);
