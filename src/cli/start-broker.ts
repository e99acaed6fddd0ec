/** The composition root: where the parts of the broker are put together from the settings. */
import { AnonymousAuthenticator } from '../auth/anonymous-authenticator.js';
import { Broker } from '../broker/broker.js';
import { brokerLimits } from './broker-limits.js';
import type { StartBroker } from './running-broker.js';
import { packageVersion } from './version.js';

export const startBroker: StartBroker = async (settings, logger) => {
  const enabled = Object.entries(settings.listeners).filter(([, listener]) => listener.enabled);
  const broker = await Broker.start({
    logger,
    limits: brokerLimits(settings),
    authenticator: new AnonymousAuthenticator(settings.auth.anonymous),
    version: packageVersion(),
    listeners: enabled.map(([name, listener]) => ({ name, ...listener })),
  });
  return {
    listeners: broker.listeners.map(({ options, port }) => ({
      name: options.name,
      kind: options.kind,
      host: options.host,
      port,
      ...(options.path === undefined ? {} : { path: options.path }),
    })),
    stop: (graceMs) => broker.stop(graceMs),
  };
};
