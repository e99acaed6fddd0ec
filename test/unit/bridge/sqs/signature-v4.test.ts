import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../../src/bridge/sqs/http-request.js';
import { SignatureV4 } from '../../../../src/bridge/sqs/signature-v4.js';
import { SqsError } from '../../../../src/bridge/sqs/sqs-error.js';
import { byAws4, bySdk, KEY, NOW_MS, type Plain, received, type Signer } from './signed-request.js';

const SIGNERS: readonly (readonly [string, Signer])[] = [
  ['aws4', byAws4],
  ['the SDK', bySdk],
];

function verify(request: HttpRequest, nowMs = NOW_MS): string {
  const verifier = new SignatureV4([{ ...KEY, grants: [] }], () => nowMs);
  try {
    return verifier.authenticate(request).id;
  } catch (error) {
    if (!(error instanceof SqsError)) throw error;
    return error.shape;
  }
}

/** Why it was refused. */
function refusal(request: HttpRequest, nowMs = NOW_MS): string {
  try {
    new SignatureV4([{ ...KEY, grants: [] }], () => nowMs).authenticate(request);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** @param change of the header `name` */
function withHeader(request: HttpRequest, name: string, change: (value: string) => string | null): HttpRequest {
  const entries: [string, string][] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [key = '', value = ''] = request.rawHeaders.slice(at, at + 2);
    const changed = key.toLowerCase() === name.toLowerCase() ? change(value) : value;
    if (changed !== null) entries.push([key, changed]);
  }
  return received(request.method, request.url, Object.fromEntries(entries), request.body.toString());
}

function withNewHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  return {
    ...request,
    headers: { ...request.headers, [name]: value },
    rawHeaders: [...request.rawHeaders, name, value],
  };
}

const JSON_HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': 'AmazonSQS.SendMessage',
  'x-amzn-query-mode': 'true',
  'amz-sdk-invocation-id': '3b2a',
  'amz-sdk-request': 'attempt=1; max=3',
};

const PLAIN: readonly (readonly [string, Plain])[] = [
  ['a JSON request', { headers: JSON_HEADERS, body: '{"MessageBody":"grün"}' }],
  ['an empty body', { headers: JSON_HEADERS }],
  ['the path of a queue', { headers: JSON_HEADERS, path: '/000000000000/orders.fifo', body: '{}' }],
  ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=ListQueues&a=%2B' }],
  [
    'a query',
    { method: 'GET', path: '/000000000000/q?Action=SendMessage&MessageBody=a%20%2B%C3%A9%27%28%29%2A&Z=&A=1' },
  ],
  ['characters that are encoded in the path', { path: '/a%20b/%C3%A9', body: 'x' }],
  ['blanks within headers', { headers: { 'x-amz-target': 'a   b', 'x-custom': '  c  d ' }, body: 'x' }],
  ['another region', { region: 'eu-central-1', body: 'x' }],
  ['the service that tools ask who they are', { service: 'sts', body: 'Action=GetCallerIdentity' }],
];

describe.each(SIGNERS)('a request that %s has signed', (_, sign) => {
  it.each(PLAIN)('is accepted: %s', async (_name, plain) => {
    expect(verify(await sign(plain))).toBe(KEY.id);
  });

  it.each(PLAIN)('is accepted as a presigned URL: %s', async (_name, plain) => {
    // A presigned request has no headers but those that its URL names.
    const { headers: _headers, ...others } = plain;
    expect(verify(await sign({ ...others, presignedSeconds: 60 }))).toBe(KEY.id);
  });

  it('is refused when anything of it was changed', async () => {
    const plain: Plain = { headers: JSON_HEADERS, body: '{"a":1}', path: '/000000000000/q?a=b' };
    const request = await sign(plain);
    const changed: readonly HttpRequest[] = [
      { ...request, method: 'PUT' },
      { ...request, url: '/000000000000/r?a=b' },
      { ...request, url: '/000000000000/q?a=c' },
      { ...request, url: '/000000000000/q?a=b&c' },
      { ...request, body: Buffer.from('{"a":2}') },
      { ...request, body: Buffer.from('') },
      withHeader(request, 'host', () => 'another.example'),
      withHeader(request, 'x-amz-target', () => 'AmazonSQS.PurgeQueue'),
      withHeader(request, 'x-amz-date', (value) => value.replace('05Z', '06Z')),
      withHeader(request, 'authorization', (value) => value.replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
      withHeader(request, 'authorization', (value) => value.replace('us-east-1', 'us-east-2')),
    ];
    expect(changed.map((each) => verify(each))).toEqual(changed.map(() => 'InvalidSignatureException'));
    expect(verify(request)).toBe(KEY.id);
  });

  it('is refused when it was signed with another secret, or with a key that nobody knows', async () => {
    const secret = { ...KEY, secret: 'another' };
    expect(verify(await sign({ key: secret }))).toBe('InvalidSignatureException');
    expect(verify(await sign({ key: { ...KEY, id: 'OTHER' } }))).toBe('UnrecognizedClientException');
  });

  it('is good for five minutes, before and after its time', async () => {
    const request = await sign({ headers: JSON_HEADERS, body: '{}' });
    expect(verify(request, NOW_MS + 300_000)).toBe(KEY.id);
    expect(verify(request, NOW_MS - 300_000)).toBe(KEY.id);
    expect(refusal(request, NOW_MS + 301_000)).toBe(
      'Signature expired: 20261121T150405Z is now earlier than 20261121T150406Z (20261121T150906Z - 5 min.)',
    );
    expect(refusal(request, NOW_MS - 301_000)).toBe(
      'Signature not yet current: 20261121T150405Z is still later than 20261121T150404Z (20261121T145904Z + 5 min.)',
    );
  });

  it('may come again within that time, and not later', async () => {
    const verifier = (nowMs: number) => new SignatureV4([{ ...KEY, grants: [] }], () => nowMs);
    const request = await sign({ headers: JSON_HEADERS, body: '{}' });
    const kept = verifier(NOW_MS);
    expect([kept.authenticate(request).id, kept.authenticate(request).id]).toEqual([KEY.id, KEY.id]);
    expect(() => verifier(NOW_MS + 300_001).authenticate(request)).toThrow('Signature expired');
  });

  it('is good for as long as a presigned URL says, and was not signed ahead of its time', async () => {
    const request = await sign({ method: 'GET', path: '/q?Action=ListQueues', presignedSeconds: 3600 });
    expect(verify(request, NOW_MS + 3_600_000)).toBe(KEY.id);
    expect(refusal(request, NOW_MS + 3_601_000)).toContain('Signature expired');
    expect(refusal(request, NOW_MS - 301_000)).toContain('not yet current');
    const longer = { ...request, url: request.url.replace('X-Amz-Expires=3600', 'X-Amz-Expires=7200') };
    expect(verify(longer)).toBe('InvalidSignatureException');
  });

  it('is refused with headers for the service that were not signed', async () => {
    const request = await sign({ headers: JSON_HEADERS, body: '{}' });
    expect(refusal(withNewHeader(request, 'x-amz-custom', 'x'))).toBe('The header x-amz-custom must be signed.');
    expect(verify(withNewHeader(request, 'x-forwarded-for', '10.0.0.1'))).toBe(KEY.id);
  });

  it('is refused with a session token', async () => {
    const request = await sign({ headers: { ...JSON_HEADERS, 'x-amz-security-token': 'token' }, body: '{}' });
    expect(refusal(request)).toContain('Session tokens');
    const url = await sign({ method: 'GET', path: '/?X-Amz-Security-Token=token', presignedSeconds: 60 });
    expect(refusal(url)).toContain('Session tokens');
  });
});

describe('any request', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
  const segment = text.filter((part) => part !== '.' && part !== '..');
  const request = fc.record({
    segments: fc.array(segment, { maxLength: 3 }),
    parameters: fc.uniqueArray(fc.tuple(text, text), { maxLength: 4, selector: ([name]) => name }),
    body: fc.string({ unit: 'grapheme' }),
    value: fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/),
  });

  it.each(SIGNERS)('that %s can sign is accepted, and no other body with it', async (_, sign) => {
    await fc.assert(
      fc.asyncProperty(request, async ({ segments, parameters, body, value }) => {
        const query = parameters.map((parameter) => parameter.map(encodeURIComponent).join('=')).join('&');
        const path = `/${segments.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`;
        const signed = await sign({ path, body, headers: { 'x-amz-target': value } });
        expect(verify(signed)).toBe(KEY.id);
        expect(verify({ ...signed, body: Buffer.from(`${body}.`) })).toBe('InvalidSignatureException');
      }),
      { numRuns: 300 },
    );
  });
});

describe('the hash of the body', () => {
  it('is of what came, whatever the request says of it', async () => {
    const request = await bySdk({ headers: JSON_HEADERS, body: '{"a":1}' });
    expect(request.headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
    expect(refusal({ ...request, body: Buffer.from('{"a":2}') })).toContain('does not match x-amz-content-sha256');
  });

  it('cannot be left out', async () => {
    const request = await byAws4({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, body: 'x' });
    expect(verify(request)).toBe('InvalidSignatureException');
  });
});

describe('a signature', () => {
  const good =
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=';
  const of = (authorization: string, headers: Record<string, string> = {}): HttpRequest =>
    received('POST', '/', { host: 'h', 'x-amz-date': '20261121T150405Z', authorization, ...headers }, '');
  const zeros = '0'.repeat(64);

  it.each([
    ['is of another kind', `Bearer ${zeros}`, 'IncompleteSignatureException'],
    ['is empty', '', 'IncompleteSignatureException'],
    ['is short', good + zeros.slice(1), 'IncompleteSignatureException'],
    ['is no hexadecimal', `${good}${'g'.repeat(64)}`, 'IncompleteSignatureException'],
    ['is wrong', good + zeros, 'InvalidSignatureException'],
    ['is for another service', good.replace('/sqs/', '/s3/') + zeros, 'IncompleteSignatureException'],
    ['has no scope', good.replace('/aws4_request', '') + zeros, 'IncompleteSignatureException'],
    ['has too much scope', good.replace('/aws4_request', '/aws4_request/x') + zeros, 'IncompleteSignatureException'],
    ['is of another day', good.replace('/20261121/', '/20261120/') + zeros, 'InvalidSignatureException'],
    ['is of part of a day', good.replace('/20261121/', '/2026/') + zeros, 'InvalidSignatureException'],
    ['leaves the host out', good.replace('host;', '') + zeros, 'InvalidSignatureException'],
    ['leaves the date out', good.replace(';x-amz-date', '') + zeros, 'InvalidSignatureException'],
  ])('that %s is refused', (_, authorization, shape) => {
    expect(verify(of(authorization))).toBe(shape);
  });

  it.each([['yesterday'], ['20261121'], ['20261332T150405Z'], ['']])('with the date %j is refused', (date) => {
    expect(verify(of(good + zeros, { 'x-amz-date': date }))).toBe('IncompleteSignatureException');
  });

  it.each([['0'], ['-1'], ['604801'], ['1.5'], ['soon'], ['']])(
    'that is presigned for %j seconds is refused',
    async (seconds) => {
      const request = await byAws4({ method: 'GET', presignedSeconds: 60 });
      const url = request.url.replace('X-Amz-Expires=60', `X-Amz-Expires=${seconds}`);
      expect(verify({ ...request, url })).toBe('IncompleteSignatureException');
    },
  );

  it('is missing', () => {
    expect(verify(received('POST', '/', { host: 'h' }, ''))).toBe('MissingAuthenticationTokenException');
    expect(verify(received('GET', '/?%', { host: 'h' }, ''))).toBe('IncompleteSignatureException');
  });
});
