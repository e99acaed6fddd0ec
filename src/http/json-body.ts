/** Reads the body of a request as JSON, never more than a bound of it. */
import type { IncomingMessage } from 'node:http';
import { RequestAborted } from './http-errors.js';
import { Problem } from './problem.js';

/**
 * The value in the body; undefined if there is none.
 * @throws Problem if it is too large, of another type, or no JSON
 * @throws RequestAborted
 */
export async function readJsonBody(request: IncomingMessage, maximumBytes: number): Promise<unknown> {
  const { headers } = request;
  const announced = Number(headers['content-length'] ?? 0);
  if (announced > maximumBytes) throw tooLarge(maximumBytes);
  const isEmpty = announced === 0 && headers['transfer-encoding'] === undefined;
  if (isEmpty) return undefined;
  const type = headers['content-type'] ?? '';
  const encoding = headers['content-encoding'] ?? 'identity';
  if (!/^application\/json *(;|$)/i.test(type) || encoding !== 'identity') {
    throw new Problem(415, 'unsupported-media-type', 'The body must be application/json, and not compressed');
  }
  return parseJson(await readBody(request, maximumBytes));
}

function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let byteLength = 0;
    request.on('data', (chunk: Buffer) => {
      byteLength += chunk.length;
      if (byteLength <= maximumBytes) {
        chunks.push(chunk);
        return;
      }
      // What still comes is read and forgotten, until the request's time is over: the client would not hear the answer else.
      chunks.length = 0;
      reject(tooLarge(maximumBytes));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', () => reject(new RequestAborted('The client went away')));
    request.on('close', () => reject(new RequestAborted('The client went away')));
  });
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    // The rest of what JSON.parse says quotes the body, where a password may stand.
    const where = / at position \d+( \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0] ?? '';
    throw new Problem(400, 'invalid-json', `The body is no JSON${where}`);
  }
}

function tooLarge(maximumBytes: number): Problem {
  return new Problem(413, 'body-too-large', `The body is larger than ${maximumBytes} bytes (http.maxBodySize)`);
}
