/** What a client says in CONNECT, for tests of those who judge it. */
import type { ConnectRequest } from '../../src/auth/authenticator.js';

export function connectRequest(
  fields: Partial<ConnectRequest> & { readonly passwordText?: string } = {},
): ConnectRequest {
  const { passwordText, ...rest } = fields;
  return {
    clientId: 'client',
    username: undefined,
    password: passwordText === undefined ? undefined : Buffer.from(passwordText),
    remoteAddress: '127.0.0.1',
    listenerName: 'tcp',
    isLoopback: true,
    certificate: null,
    ...rest,
  };
}
