/**
 * As much of DER (X.690) as it takes to find the issuer and the number of a certificate, and those that a revocation list
 * names: Node hands on neither. What is read has been taken by OpenSSL before.
 */

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
/** `[0]` around the version of a certificate. */
const EXPLICIT_VERSION = 0xa0;

/** A value: where its content begins, and where it ends. */
interface DerValue {
  readonly tag: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/**
 * A text that is the same for the same issuer and serial number. RFC 5280, section 4.1.2.6, has an authority write its name in
 * the same bytes wherever it stands.
 * @param der a certificate @throws RangeError if it is none
 */
export function certificateKey(der: Buffer): string {
  const body = first(der, first(der, whole(der)));
  const serial = body.tag === EXPLICIT_VERSION ? valueAt(der, body.end) : body;
  const issuer = valueAt(der, valueAt(der, serial.end).end);
  return keyOf(der.subarray(issuer.at, issuer.end), der, serial);
}

/** @param der a list of revoked certificates @returns their keys @throws RangeError if it is none */
export function revokedKeys(der: Buffer): string[] {
  const list = first(der, whole(der));
  const version = first(der, list);
  const algorithm = version.tag === INTEGER ? valueAt(der, version.end) : version;
  const issuer = valueAt(der, algorithm.end);
  const name = der.subarray(issuer.at, issuer.end);
  let at = issuer.end;
  while (at < list.end && isTime(valueAt(der, at))) at = valueAt(der, at).end;
  const keys: string[] = [];
  if (at >= list.end) return keys;
  const entries = valueAt(der, at);
  // Only extensions follow: nobody is revoked.
  if (entries.tag !== SEQUENCE) return keys;
  for (let entry = entries.start; entry < entries.end; ) {
    const value = valueAt(der, entry);
    keys.push(keyOf(name, der, first(der, value)));
    entry = value.end;
  }
  return keys;
}

function keyOf(issuer: Buffer, der: Buffer, serial: DerValue): string {
  return `${issuer.toString('latin1')}\n${der.toString('latin1', serial.start, serial.end)}`;
}

function isTime({ tag }: DerValue): boolean {
  return tag === UTC_TIME || tag === GENERALIZED_TIME;
}

function whole(der: Buffer): DerValue {
  return valueAt(der, 0);
}

function first(der: Buffer, { start }: DerValue): DerValue {
  return valueAt(der, start);
}

function valueAt(der: Buffer, at: number): DerValue {
  const tag = byteAt(der, at);
  let start = at + 2;
  let length = byteAt(der, at + 1);
  if (length >= 0x80) {
    const count = length & 0x7f;
    length = 0;
    for (const last = start + count; start < last; start++) length = length * 0x100 + byteAt(der, start);
  }
  const end = start + length;
  if (end > der.length) throw new RangeError(`a value at ${at} goes on behind the end`);
  return { tag, at, start, end };
}

function byteAt(der: Buffer, at: number): number {
  const byte = der[at];
  if (byte === undefined) throw new RangeError(`nothing stands at ${at}`);
  return byte;
}
