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
  /** Key id, day, region, service and end of a scope, with slashes between. */
  readonly credential: string;
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

/** What a credential stands for. */
interface Scope {
  readonly caller: Caller;
  readonly day: string;
  /** The credential without its key id. */
  readonly text: string;
  readonly signingKey: Buffer;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SCOPE_END = 'aws4_request';
/** Tools ask the other one who they are. */
const SERVICES = ['sqs', 'sts'];
/** As AWS. */
const SKEW_MS = 300_000;
const LONGEST_PRESIGNED_SECONDS = 604_800;
const MOST_SCOPES = 1000;
/** Of `20261121`. */
const DAY_LENGTH = 8;
const SIGNATURE = /^[0-9a-f]{64}$/;
const AUTHORIZATION = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([^,\s]+)\s*$/;

export class SignatureV4 implements Authenticator {
  readonly #keys: ReadonlyMap<string, KnownKey>;
  readonly #timeOfDayMs: () => number;
  /** By credential: a client has the same one for a day, and its signing key takes four steps. */
  readonly #scopes = new Map<string, Scope>();
  /** Requests of one second have the same. */
  #lastTime: AwsTime | null = null;

  /** @param timeOfDayMs of the machine, wherever it is set to: what signs has no other clock, and SDKs follow the Date of the answers */
  constructor(keys: readonly AccessKey[], timeOfDayMs: () => number) {
    this.#keys = new Map(keys.map(({ id, secret, grants }) => [id, { secret, caller: new Caller(id, grants) }]));
    this.#timeOfDayMs = timeOfDayMs;
  }

  /** @throws SqsError */
  authenticate(request: HttpRequest): Caller {
    const claim = this.#claimOf(request);
    const scope = this.#scopeOf(claim.credential);
    if (claim.time.text.slice(0, DAY_LENGTH) !== scope.day) {
      throw new SqsError(
        'InvalidSignatureException',
        'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.',
      );
    }
    this.#checkTime(claim);
    checkSignedHeaders(request, claim);
    const expected = createHmac('sha256', scope.signingKey)
      .update(textToSign(request, claim, scope))
      .digest();
    if (!timingSafeEqual(expected, claim.signature)) {
      throw new SqsError(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your secret access key and signing method.',
      );
    }
    return scope.caller;
  }

  #claimOf(request: HttpRequest): Claim {
    const { headers, url } = request;
    const parameters = queryParameters(url);
    if (headers['x-amz-security-token'] !== undefined || find(parameters, 'X-Amz-Security-Token') !== undefined) {
      throw new SqsError('UnrecognizedClientException', 'Session tokens are not known here: use an access key alone.');
    }
    if (headers.authorization !== undefined) {
      const [, credential = '', signedHeaders = '', signature = ''] = AUTHORIZATION.exec(headers.authorization) ?? [];
      const time = this.#timeOf(headers['x-amz-date'] ?? headers.date);
      return claim(credential, signedHeaders, signature, time, SKEW_MS, canonicalQuery(parameters));
    }
    if (find(parameters, 'X-Amz-Algorithm') === ALGORITHM) {
      const seconds = Number(find(parameters, 'X-Amz-Expires'));
      if (!(Number.isInteger(seconds) && seconds > 0 && seconds <= LONGEST_PRESIGNED_SECONDS)) throw incomplete();
      const signed = parameters.filter(([name]) => name !== SIGNATURE_PARAMETER);
      return claim(
        find(parameters, 'X-Amz-Credential') ?? '',
        find(parameters, 'X-Amz-SignedHeaders') ?? '',
        find(parameters, SIGNATURE_PARAMETER) ?? '',
        this.#timeOf(find(parameters, 'X-Amz-Date')),
        seconds * 1000,
        canonicalQuery(signed),
      );
    }
    throw new SqsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  }

  #timeOf(text: string | string[] | undefined): AwsTime | null {
    if (text !== undefined && text === this.#lastTime?.text) return this.#lastTime;
    const time = parseAwsTime(text);
    if (time !== null) this.#lastTime = time;
    return time;
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

  #scopeOf(credential: string): Scope {
    const known = this.#scopes.get(credential);
    if (known !== undefined) return known;
    const [keyId = '', day = '', region = '', service = '', end = '', ...more] = credential.split('/');
    const isWhole = keyId !== '' && region !== '' && end === SCOPE_END && more.length === 0;
    if (!isWhole || !SERVICES.includes(service)) throw incomplete();
    const key = this.#keys.get(keyId);
    if (key === undefined) {
      throw new SqsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
    }
    let signingKey: Buffer = Buffer.from(`AWS4${key.secret}`);
    for (const part of [day, region, service, SCOPE_END]) {
      signingKey = createHmac('sha256', signingKey).update(part).digest();
    }
    const scope: Scope = { caller: key.caller, day, text: credential.slice(keyId.length + 1), signingKey };
    if (this.#scopes.size >= MOST_SCOPES) this.#scopes.delete(this.#scopes.keys().next().value as string);
    this.#scopes.set(credential, scope);
    return scope;
  }
}

function find(parameters: readonly (readonly [name: string, value: string])[], name: string): string | undefined {
  return parameters.length === 0 ? undefined : parameters.find(([key]) => key === name)?.[1];
}

function claim(
  credential: string,
  signedHeaders: string,
  signature: string,
  time: AwsTime | null,
  validMs: number,
  query: string,
): Claim {
  if (credential === '' || time === null || !SIGNATURE.test(signature)) throw incomplete();
  return {
    credential,
    signedHeaders: signedHeaders.split(';'),
    signature: Buffer.from(signature, 'hex'),
    time,
    validMs,
    query,
  };
}

/** What decides about the request has to be signed: where it goes, and everything that is addressed to the service. */
function checkSignedHeaders({ headers }: HttpRequest, { signedHeaders }: Claim): void {
  const signed = new Set(signedHeaders);
  if (!signed.has('host')) throw unsigned('host');
  for (const name of Object.keys(headers)) if (name.startsWith('x-amz-') && !signed.has(name)) throw unsigned(name);
}

function textToSign(request: HttpRequest, { signedHeaders, time, query }: Claim, { text }: Scope): string {
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
  return `${ALGORITHM}\n${time.text}\n${text}\n${hash('sha256', canonical, 'hex')}`;
}

function unsigned(name: string): SqsError {
  return new SqsError('InvalidSignatureException', `The header ${name} must be signed.`);
}

function incomplete(): SqsError {
  return new SqsError(
    'IncompleteSignatureException',
    'The signature is incomplete: it needs a Credential, SignedHeaders, a Signature and a date, for the service sqs.',
  );
}
