/** Requests that others sign: `aws4`, and the signer of the current AWS SDK. */
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 as SdkSigner } from '@smithy/signature-v4';
import { sign as aws4Sign } from 'aws4';
import type { HttpRequest } from '../../../../src/bridge/sqs/http-request.js';

export const KEY = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
export const NOW_MS = Date.UTC(2026, 10, 21, 15, 4, 5);

export interface Plain {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly atMs?: number;
  readonly region?: string;
  readonly service?: string;
  readonly key?: { readonly id: string; readonly secret: string };
  /** For how long, in the query; in a header otherwise. */
  readonly presignedSeconds?: number;
}

export type Signer = (plain: Plain) => Promise<HttpRequest>;

const HOST = 'broker.example:9324';

/** As the endpoint gets it. */
export function received(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): HttpRequest {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return {
    method,
    url,
    headers: Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value])),
    rawHeaders: entries.flat(),
    body: Buffer.from(body),
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

export const byAws4: Signer = async (plain) => {
  const { method = 'POST', path = '/', headers = {}, body = '', atMs = NOW_MS } = plain;
  const { region = 'us-east-1', service = 'sqs', key = KEY, presignedSeconds } = plain;
  const isPresigned = presignedSeconds !== undefined;
  const times = { 'X-Amz-Date': timeText(atMs), 'X-Amz-Expires': String(presignedSeconds) };
  const query = isPresigned ? `${path.includes('?') ? '&' : '?'}${new URLSearchParams(times)}` : '';
  const request = aws4Sign(
    {
      service,
      region,
      method,
      path: path + query,
      headers: { Host: HOST, ...(isPresigned ? {} : { 'X-Amz-Date': timeText(atMs) }), ...headers },
      body,
      signQuery: isPresigned,
    },
    { accessKeyId: key.id, secretAccessKey: key.secret },
  );
  return received(method, request.path ?? path, request.headers as Record<string, string>, body);
};

export const bySdk: Signer = async (plain) => {
  const { method = 'POST', path = '/', headers = {}, body = '', atMs = NOW_MS } = plain;
  const { region = 'us-east-1', service = 'sqs', key = KEY, presignedSeconds } = plain;
  const signer = new SdkSigner({
    service,
    region,
    credentials: { accessKeyId: key.id, secretAccessKey: key.secret },
    sha256: NodeSha256,
  });
  const [pathname = '/', query = ''] = path.split('?', 2);
  const [hostname = '', port = ''] = HOST.split(':');
  const unsigned = {
    method,
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: pathname,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: { host: HOST, ...headers },
    body,
  };
  const signingDate = new Date(atMs);
  const signed =
    presignedSeconds === undefined
      ? await signer.sign(unsigned, { signingDate })
      : await signer.presign(unsigned, { signingDate, expiresIn: presignedSeconds });
  const text = new URLSearchParams(signed.query as Record<string, string>).toString().replaceAll('+', '%20');
  return received(method, text === '' ? pathname : `${pathname}?${text}`, signed.headers, body);
};

/** What the SDK's signer wants. */
class NodeSha256 {
  readonly #hash;

  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array);
  }

  update(data: unknown): void {
    this.#hash.update(data as string | Uint8Array);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}
