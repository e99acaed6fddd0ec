/** The composition root: where the parts of the broker are put together from the settings. */
import type { Logger } from 'pino';
import { AnonymousAuthenticator } from '../auth/anonymous-authenticator.js';
import { Broker } from '../broker/broker.js';
import { SystemClock } from '../core/clock.js';
import { openStore, reopenRepaired, type StoreOptions } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { brokerLimits } from './broker-limits.js';
import type { Settings } from './config-schema.js';
import { durabilityByTopic } from './durability-by-topic.js';
import type { StartBroker } from './running-broker.js';
import { storageSettings } from './storage-options.js';
import { packageVersion } from './version.js';

export const startBroker: StartBroker = async (settings, logger) => {
  const clock = new SystemClock();
  const storage = storageSettings(settings);
  const options: StoreOptions = {
    ...storage,
    clock,
    durabilityOf: durabilityByTopic(storage),
    onNotice: (sentence) => logger.warn(sentence),
  };
  const start = (store: Store): Promise<Broker> => startWith(settings, logger, clock, store);
  // Damage within the database may show only when it is read.
  const broker = await start(await openStore(options)).catch(async (error: unknown) =>
    start(await reopenRepaired(options, error)),
  );
  return {
    listeners: broker.listeners.map(({ options: { name, kind, host, path }, port }) => ({
      name,
      kind,
      host,
      port,
      ...(path === undefined ? {} : { path }),
    })),
    stop: (graceMs) => broker.stop(graceMs),
  };
};

/** @throws what the broker throws; the store is closed then */
function startWith(settings: Settings, logger: Logger, clock: SystemClock, store: Store): Promise<Broker> {
  const enabled = Object.entries(settings.listeners).filter(([, listener]) => listener.enabled);
  return Broker.start({
    clock,
    logger,
    store,
    limits: brokerLimits(settings),
    authenticator: new AnonymousAuthenticator(settings.auth.anonymous),
    version: packageVersion(),
    listeners: enabled.map(([name, listener]) => ({ name, ...listener })),
  });
}
