import type { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { usernameIn } from '../../../../src/transport/tls/client-certificate.js';

/** As Node shows what an authority has signed. */
function certificate(subjectAltName: string | undefined, CN?: string | string[]): X509Certificate {
  return { subjectAltName, toLegacyObject: () => ({ subject: { CN } }) } as unknown as X509Certificate;
}

describe('the user name in a certificate', () => {
  it('is the only name of its kind', () => {
    const names = certificate('DNS:a.example.com, email:a@example.com, IP Address:10.0.0.1, URI:urn:a');
    expect(usernameIn(names, 'dns')).toBe('a.example.com');
    expect(usernameIn(names, 'email')).toBe('a@example.com');
    expect(usernameIn(names, 'uri')).toBe('urn:a');
  });

  it('is not found within another one, which Node shows in quotes', () => {
    const names = certificate('URI:"urn:a, DNS:admin", DNS:a');
    expect(usernameIn(names, 'dns')).toBe('a');
    expect(usernameIn(names, 'uri')).toBe('urn:a, DNS:admin');
  });

  it.each([
    ['none', certificate(undefined), 'common-name'],
    ['two', certificate(undefined, ['a', 'b']), 'common-name'],
    ['two alternative ones', certificate('DNS:a, DNS:b'), 'dns'],
    ['an empty one', certificate(undefined, ''), 'common-name'],
    ['one with a NUL', certificate(undefined, 'admin\0.example.com'), 'common-name'],
    ['one that is too long for MQTT', certificate(undefined, 'x'.repeat(65_536)), 'common-name'],
    ['quotes that are none', certificate('DNS:"\\q"'), 'dns'],
  ] as const)('is refused: %s', (_what, names, kind) => {
    expect(usernameIn(names, kind)).toBeUndefined();
  });
});
