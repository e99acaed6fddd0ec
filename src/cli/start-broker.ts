/** The composition root: where the parts of the broker are put together from the settings. */
import { InvalidState } from '../core/errors.js';
import type { StartBroker } from './running-broker.js';

export const startBroker: StartBroker = () => {
  return Promise.reject(new InvalidState('this build has no broker in it yet'));
};
