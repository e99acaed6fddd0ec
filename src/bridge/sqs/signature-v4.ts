/**
 * Verifies AWS Signature Version 4, in a header or in the query of a presigned URL. The body's hash is of the bytes that have come, whatever the
 * request says of it. A request may be sent again while its date is current, as with AWS: SDKs make the same signature for
 * the same request within a second.
 *
 *   canonical request ──sha256──▶ text to sign ──hmac under key(secret, day, region, service)──▶ compared in constant time
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Authenticator } from './authenticator.js';
import { type AwsTime, formatAwsTime, parseAwsTime } from './aws-time.js';
import { Caller, type Grant } from './caller.js';
import {
  canonicalHeaders,
  canonicalPath,
  canonicalQuery,
  queryParameters,
  SIGNATURE_PARAMETER,
} from './canonical-request.js';
import type { HttpRequest } from './http-request.js';
import { SqsError } from './sqs-error.js';

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  readonly grants: readonly Grant[];
}

/** What a request says of its signature. */
interface Claim {
  readonly keyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: Buffer;
  readonly time: AwsTime;
  /** How long it is good for. */
  readonly validMs: number;
  /** Canonical. */
  readonly query: string;
}

interface KnownKey {
  readonly secret: string;
  readonly caller: Caller;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SCOPE_END = 'aws4_request';
/** Tools ask the other one who they are. */
const SERVICES = ['sqs', 'sts'];
/** As AWS. */
const SKEW_MS = 300_000;
const LONGEST_PRESIGNED_SECONDS = 604_800;
const MOST_SIGNING_KEYS = 1000;
const SIGNATURE = /^[0-9a-f]{64}$/;
const AUTHORIZATION = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([^,\s]+)\s*$/;

export class SignatureV4 implements Authenticator {
  readonly #keys: ReadonlyMap<string, KnownKey>;
  readonly #timeOfDayMs: () => number;
  /** By scope and key id: four steps that are the same for a day. */
  readonly #signingKeys = new Map<string, Buffer>();

  /** @param timeOfDayMs of the machine, wherever it is set to: what signs has no other clock, and SDKs follow the Date of the answers */
  constructor(keys: readonly AccessKey[], timeOfDayMs: () => number) {
    this.#keys = new Map(keys.map(({ id, secret, grants }) => [id, { secret, caller: new Caller(id, grants) }]));
    this.#timeOfDayMs = timeOfDayMs;
  }

  /** @throws SqsError */
  authenticate(request: HttpRequest): Caller {
    const claim = claimOf(request);
    const key = this.#keys.get(claim.keyId);
    if (key === undefined) {
      throw new SqsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    this.#checkTime(claim);
    checkSignedHeaders(request, claim);
    const text = textToSign(request, claim);
    const expected = createHmac('sha256', this.#signingKeyOf(claim, key.secret)).update(text).digest();
    if (!timingSafeEqual(expected, claim.signature)) {
      throw new SqsError(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your secret access key and signing method.',
      );
    }
    return key.caller;
  }

  /** SDKs know these texts: they correct their clocks by the Date header, and try again. */
  #checkTime({ time, validMs }: Claim): void {
    const nowMs = this.#timeOfDayMs();
    if (nowMs - time.ms > validMs) {
      const limit = formatAwsTime(nowMs - validMs);
      const message = `Signature expired: ${time.text} is now earlier than ${limit} (${formatAwsTime(nowMs)} - ${validMs / 60_000} min.)`;
      throw new SqsError('InvalidSignatureException', message);
    }
    if (time.ms - nowMs > SKEW_MS) {
      const message = `Signature not yet current: ${time.text} is still later than ${formatAwsTime(nowMs + SKEW_MS)} (${formatAwsTime(nowMs)} + 5 min.)`;
      throw new SqsError('InvalidSignatureException', message);
    }
  }

  #signingKeyOf({ keyId, day, region, service }: Claim, secret: string): Buffer {
    const scope = `${keyId}/${day}/${region}/${service}`;
    const known = this.#signingKeys.get(scope);
    if (known !== undefined) return known;
    let key: Buffer = Buffer.from(`AWS4${secret}`);
    for (const part of [day, region, service, SCOPE_END]) key = createHmac('sha256', key).update(part).digest();
    if (this.#signingKeys.size >= MOST_SIGNING_KEYS) {
      this.#signingKeys.delete(this.#signingKeys.keys().next().value as string);
    }
    this.#signingKeys.set(scope, key);
    return key;
  }
}

function claimOf(request: HttpRequest): Claim {
  const { headers, url } = request;
  const parameters = queryParameters(url);
  const find = (name: string): string | undefined => parameters.find(([key]) => key === name)?.[1];
  if (headers['x-amz-security-token'] !== undefined || find('X-Amz-Security-Token') !== undefined) {
    throw new SqsError('UnrecognizedClientException', 'Session tokens are not known here: use an access key alone.');
  }
  if (headers.authorization !== undefined) {
    const [, credential = '', signedHeaders = '', signature = ''] = AUTHORIZATION.exec(headers.authorization) ?? [];
    const time = parseAwsTime(headers['x-amz-date'] ?? headers.date);
    return claim(credential, signedHeaders, signature, time, SKEW_MS, canonicalQuery(parameters));
  }
  if (find('X-Amz-Algorithm') === ALGORITHM) {
    const seconds = Number(find('X-Amz-Expires'));
    if (!(Number.isInteger(seconds) && seconds > 0 && seconds <= LONGEST_PRESIGNED_SECONDS)) throw incomplete();
    const signed = parameters.filter(([name]) => name !== SIGNATURE_PARAMETER);
    return claim(
      find('X-Amz-Credential') ?? '',
      find('X-Amz-SignedHeaders') ?? '',
      find(SIGNATURE_PARAMETER) ?? '',
      parseAwsTime(find('X-Amz-Date')),
      seconds * 1000,
      canonicalQuery(signed),
    );
  }
  throw new SqsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
}

function claim(
  credential: string,
  signedHeaders: string,
  signature: string,
  time: AwsTime | null,
  validMs: number,
  query: string,
): Claim {
  const [keyId = '', day = '', region = '', service = '', end = '', ...more] = credential.split('/');
  const isWhole = keyId !== '' && region !== '' && end === SCOPE_END && more.length === 0;
  if (!isWhole || !SERVICES.includes(service) || time === null || !SIGNATURE.test(signature)) throw incomplete();
  if (!time.text.startsWith(day) || day.length !== 8) {
    throw new SqsError(
      'InvalidSignatureException',
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.',
    );
  }
  return {
    keyId,
    day,
    region,
    service,
    signedHeaders: signedHeaders.split(';'),
    signature: Buffer.from(signature, 'hex'),
    time,
    validMs,
    query,
  };
}

/** What decides about the request has to be signed: where it goes, and everything that is addressed to the service. */
function checkSignedHeaders({ headers }: HttpRequest, { signedHeaders }: Claim): void {
  const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  const signed = new Set(signedHeaders);
  const missing = needed.find((name) => !signed.has(name));
  if (missing === undefined) return;
  throw new SqsError('InvalidSignatureException', `The header ${missing} must be signed.`);
}

function textToSign(request: HttpRequest, { signedHeaders, time, day, region, service, query }: Claim): string {
  const { method, url, headers, body } = request;
  const bodyHash = hash('sha256', body, 'hex');
  const claimedHash = headers['x-amz-content-sha256'];
  if (claimedHash !== undefined && claimedHash !== bodyHash) {
    throw new SqsError(
      'InvalidSignatureException',
      'The hash of the body that was sent does not match x-amz-content-sha256.',
    );
  }
  const canonical = `${method}\n${canonicalPath(url)}\n${query}\n${canonicalHeaders(request, signedHeaders)}\n${signedHeaders.join(';')}\n${bodyHash}`;
  return `${ALGORITHM}\n${time.text}\n${day}/${region}/${service}/${SCOPE_END}\n${hash('sha256', canonical, 'hex')}`;
}

function incomplete(): SqsError {
  return new SqsError(
    'IncompleteSignatureException',
    'The signature is incomplete: it needs a Credential, SignedHeaders, a Signature and a date, for the service sqs.',
  );
}
