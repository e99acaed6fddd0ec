/** Whom rules are about: a client, by all that they may ask of it. */
import type { Identity } from '../identity.js';

export interface Principal extends Pick<Identity, 'username' | 'roles' | 'rules'> {
  readonly clientId: string;
}
