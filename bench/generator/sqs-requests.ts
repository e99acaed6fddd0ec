/** Requests to the SQS endpoint as bytes, signed if there is a key; what does not change is made once. */
import { createHmac, hash } from 'node:crypto';
import type { SqsKey } from './sqs-job.js';

const REGION = 'us-east-1';
const SIGNED_HEADERS = 'host;x-amz-date;x-amz-target';
/** A signature is good for five minutes. */
const RENEW_MS = 60_000;

export type RequestBytes = () => string;

export class SqsRequests {
  readonly #host: string;
  readonly #key: SqsKey | undefined;
  #date = '';
  #signingKey: Buffer = Buffer.alloc(0);
  #signedAtMs = Number.NEGATIVE_INFINITY;

  constructor(port: number, key: SqsKey | undefined) {
    this.#host = `127.0.0.1:${port}`;
    this.#key = key;
  }

  /** One that is sent again and again. */
  same(action: string, input: object): RequestBytes {
    const body = JSON.stringify(input);
    let bytes = '';
    let madeAtMs = Number.NEGATIVE_INFINITY;
    return () => {
      const nowMs = performance.now();
      if (nowMs - madeAtMs > RENEW_MS) {
        bytes = this.make(action, body);
        madeAtMs = nowMs;
      }
      return bytes;
    };
  }

  make(action: string, body: string): string {
    const target = `AmazonSQS.${action}`;
    const head = `POST / HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: ${target}\r\n`;
    return `${head}${this.#signature(target, body)}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  #signature(target: string, body: string): string {
    if (this.#key === undefined) return '';
    this.#ensureSigningKey(this.#key.secret);
    const date = this.#date;
    const scope = `${date.slice(0, 8)}/${REGION}/sqs/aws4_request`;
    const headers = `host:${this.#host}\nx-amz-date:${date}\nx-amz-target:${target}\n`;
    const canonical = `POST\n/\n\n${headers}\n${SIGNED_HEADERS}\n${hash('sha256', body)}`;
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash('sha256', canonical)}`;
    const signature = createHmac('sha256', this.#signingKey).update(text).digest('hex');
    const credential = `${this.#key.id}/${scope}`;
    return `x-amz-date: ${date}\r\nauthorization: AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}\r\n`;
  }

  #ensureSigningKey(secret: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#signedAtMs < RENEW_MS) return;
    this.#signedAtMs = nowMs;
    this.#date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    let key: Buffer = Buffer.from(`AWS4${secret}`);
    for (const part of [this.#date.slice(0, 8), REGION, 'sqs', 'aws4_request']) {
      key = createHmac('sha256', key).update(part).digest();
    }
    this.#signingKey = key;
  }
}
