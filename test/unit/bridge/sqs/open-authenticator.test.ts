import { describe, expect, it } from 'vitest';
import { OpenAuthenticator } from '../../../../src/bridge/sqs/authenticator.js';
import { ANYBODY } from '../../../../src/bridge/sqs/caller.js';
import { received } from './signed-request.js';

const authenticator = new OpenAuthenticator((host) => ['127.0.0.1', '::1', 'localhost'].includes(host));

function isServed(headers: Record<string, string>): boolean {
  try {
    return authenticator.authenticate(received('POST', '/', headers, '')) === ANYBODY;
  } catch (error) {
    expect(error).toMatchObject({ shape: 'AccessDeniedException', status: 403 });
    return false;
  }
}

describe('an endpoint that asks nobody who he is', () => {
  it.each([['127.0.0.1'], ['127.0.0.1:9324'], ['[::1]:9324'], ['localhost:9324']])('serves who calls it %s', (host) => {
    expect(isServed({ host })).toBe(true);
  });

  it.each([['evil.example'], ['evil.example:9324'], ['127.0.0.1.evil.example'], ['127.0.0.1@evil.example'], ['']])(
    'serves nobody who calls it %j: a page has made its name lead here',
    (host) => {
      expect(isServed({ host })).toBe(false);
      expect(isServed({})).toBe(false);
    },
  );

  it('serves no pages', () => {
    expect(isServed({ host: 'localhost', origin: 'http://evil.example' })).toBe(false);
    expect(isServed({ host: 'localhost', 'sec-fetch-site': 'cross-site' })).toBe(false);
    // Typed into the address line by its user.
    expect(isServed({ host: 'localhost', 'sec-fetch-site': 'none' })).toBe(true);
  });
});
