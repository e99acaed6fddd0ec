/** What a header of PROXY version 2 says beside addresses (its section 2.2). Types that are not known are passed over. */

import { crc32c } from '../../core/crc32c.js';
import { ProxyHeaderInvalid } from '../../core/errors.js';

const AUTHORITY = 0x02;
const CRC32C = 0x03;
const SSL = 0x20;
const SSL_COMMON_NAME = 0x22;

/** `client` of the SSL structure: TLS was spoken, and a certificate was shown on this connection or earlier in its session. */
const CLIENT_SSL = 0x01;
const CLIENT_CERTIFICATE = 0x02 | 0x04;
const SSL_HEAD_BYTES = 5;

export interface ProxyTlvs {
  /** The host that the client has asked for (SNI). */
  readonly authority: string | null;
  /** CN of the client's certificate; null if it has shown none, or one that the proxy has not found valid. */
  readonly commonName: string | null;
}

/**
 * @param bytes the whole header @param start where the TLVs begin in it
 * @throws ProxyHeaderInvalid
 */
export function findTlvs(bytes: Buffer, start: number): ProxyTlvs {
  let authority: string | null = null;
  let commonName: string | null = null;
  for (const { type, from, to } of eachTlv(bytes, start)) {
    if (type === AUTHORITY) authority = bytes.toString('utf8', from, to);
    else if (type === CRC32C) checkSum(bytes, from, to);
    else if (type === SSL) commonName = verifiedCommonName(bytes.subarray(from, to));
  }
  return { authority, commonName };
}

function* eachTlv(bytes: Buffer, start: number): Generator<{ type: number; from: number; to: number }> {
  for (let at = start; at < bytes.length; ) {
    const from = at + 3;
    if (from > bytes.length) throw new ProxyHeaderInvalid('a TLV is cut off');
    const to = from + bytes.readUInt16BE(at + 1);
    if (to > bytes.length) throw new ProxyHeaderInvalid('a TLV is longer than its header');
    yield { type: bytes[at] as number, from, to };
    at = to;
  }
}

/** Of the whole header, with zeros in the place of the sum. */
function checkSum(bytes: Buffer, from: number, to: number): void {
  const isSound = to - from === 4;
  const copy = Buffer.from(bytes);
  copy.fill(0, from, to);
  if (!isSound || crc32c(copy) !== bytes.readUInt32BE(from)) throw new ProxyHeaderInvalid('a header has the wrong sum');
}

function verifiedCommonName(ssl: Buffer): string | null {
  if (ssl.length < SSL_HEAD_BYTES) throw new ProxyHeaderInvalid('an SSL TLV is too short');
  const client = ssl[0] as number;
  let name: string | null = null;
  for (const { type, from, to } of eachTlv(ssl, SSL_HEAD_BYTES)) {
    if (type === SSL_COMMON_NAME) name = ssl.toString('utf8', from, to);
  }
  const isVerified = (client & CLIENT_SSL) !== 0 && (client & CLIENT_CERTIFICATE) !== 0 && ssl.readUInt32BE(1) === 0;
  return isVerified ? name : null;
}
