import { describe } from 'vitest';
import { SCRAM_MECHANISMS } from '../../src/auth/scram-mechanism.js';
import { ScramMethod } from '../../src/auth/scram-method.js';
import { ScramClient, scramUsers } from '../support/scram-client.js';
import { describeAuthenticationMethod } from './authentication-method.contract.js';

describe.each(SCRAM_MECHANISMS)('$name', (mechanism) => {
  const method = new ScramMethod(mechanism, scramUsers({ station: 'pencil' }, mechanism));
  describeAuthenticationMethod(mechanism.name, () => ({
    method,
    username: 'station',
    client: () => {
      const client = new ScramClient('station', 'pencil', 'rOprNGfwEbeRWgbNEkqO', 'n,,', mechanism);
      return (challenge) => (challenge === undefined ? client.first : client.final(challenge));
    },
  }));
});
