import { ScramSha256 } from '../../src/auth/scram-sha-256.js';
import { ScramClient, scramUsers } from '../support/scram-client.js';
import { describeAuthenticationMethod } from './authentication-method.contract.js';

const method = new ScramSha256(scramUsers({ station: 'pencil' }));

describeAuthenticationMethod('SCRAM-SHA-256', () => ({
  method,
  username: 'station',
  client: () => {
    const client = new ScramClient('station', 'pencil');
    return (challenge) => (challenge === undefined ? client.first : client.final(challenge));
  },
}));
