/** Bytes as a case writes them: to be sent, or to be compared with what came. */

export type BytePattern =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'any' }
  | { readonly kind: 'rest' }
  | { readonly kind: 'group'; readonly prefix: LengthPrefix; readonly content: readonly BytePattern[] };

/** How a group's length is written: a variable byte integer, or two bytes. */
export type LengthPrefix = 'variable' | 'two-byte';

export type MatchResult =
  | { readonly kind: 'matched'; readonly end: number }
  /** So far it fits. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'mismatch'; readonly offset: number; readonly expected: string };

const INCOMPLETE = { kind: 'incomplete' } as const;

/** @param patterns without wildcards */
export function encodePatterns(patterns: readonly BytePattern[]): Buffer {
  return Buffer.concat(
    patterns.map((pattern) => {
      if (pattern.kind === 'bytes') return pattern.bytes;
      if (pattern.kind !== 'group') throw new TypeError('a wildcard cannot be sent');
      const content = encodePatterns(pattern.content);
      return Buffer.concat([encodeLength(pattern.prefix, content.length), content]);
    }),
  );
}

export function hasWildcards(patterns: readonly BytePattern[]): boolean {
  return patterns.some((pattern) =>
    pattern.kind === 'group' ? hasWildcards(pattern.content) : pattern.kind !== 'bytes',
  );
}

/** Compares from `start` on; nothing is said about bytes behind the patterns. */
export function matchPatterns(patterns: readonly BytePattern[], bytes: Buffer, start: number): MatchResult {
  return matchWithin(patterns, bytes, start, null);
}

/** The patterns in the notation of the cases. */
export function describePatterns(patterns: readonly BytePattern[]): string {
  return patterns.map(describePattern).join(' ');
}

/** @param end of the enclosing group; null where more may come */
function matchWithin(patterns: readonly BytePattern[], bytes: Buffer, start: number, end: number | null): MatchResult {
  let at = start;
  for (const pattern of patterns) {
    const result = matchOne(pattern, bytes, at, end);
    if (result.kind !== 'matched') return result;
    at = result.end;
  }
  if (end !== null && at < end) return { kind: 'mismatch', offset: at, expected: 'the end of the group' };
  return { kind: 'matched', end: at };
}

function matchOne(pattern: BytePattern, bytes: Buffer, at: number, end: number | null): MatchResult {
  switch (pattern.kind) {
    case 'bytes':
      return matchBytes(pattern.bytes, bytes, at, end);
    case 'any':
      return at === end || at >= bytes.length ? missing(at, end, '..') : { kind: 'matched', end: at + 1 };
    case 'rest':
      return end === null || end > bytes.length ? INCOMPLETE : { kind: 'matched', end };
    case 'group':
      return matchGroup(pattern.prefix, pattern.content, bytes, at, end);
  }
}

function matchBytes(expected: Buffer, bytes: Buffer, start: number, end: number | null): MatchResult {
  for (let index = 0; index < expected.length; index++) {
    const at = start + index;
    const byte = hex(expected.subarray(index, index + 1));
    if (at === end || at >= bytes.length) return missing(at, end, byte);
    if (bytes[at] !== expected[index]) return { kind: 'mismatch', offset: at, expected: byte };
  }
  return { kind: 'matched', end: start + expected.length };
}

function matchGroup(
  prefix: LengthPrefix,
  content: readonly BytePattern[],
  bytes: Buffer,
  at: number,
  end: number | null,
): MatchResult {
  const length = readLength(prefix, bytes.subarray(at, end ?? bytes.length));
  if (length === 'incomplete' && (end === null || end > bytes.length)) return INCOMPLETE;
  if (typeof length === 'string') return { kind: 'mismatch', offset: at, expected: 'a length' };
  const contentStart = at + length.bytes;
  const contentEnd = contentStart + length.value;
  if (end !== null && contentEnd > end) return { kind: 'mismatch', offset: at, expected: 'a length that fits' };
  // What differs inside says more than the length does.
  const result = matchWithin(content, bytes, contentStart, contentEnd);
  if (result.kind !== 'matched') return result;
  return contentEnd > bytes.length ? INCOMPLETE : result;
}

function missing(offset: number, end: number | null, expected: string): MatchResult {
  return offset === end ? { kind: 'mismatch', offset, expected } : INCOMPLETE;
}

type Length = { readonly value: number; readonly bytes: number };

/** `malformed`: longer than four bytes, or than it need be [MQTT-1.5.5-1]. */
function readLength(prefix: LengthPrefix, bytes: Buffer): Length | 'incomplete' | 'malformed' {
  if (prefix === 'two-byte') return bytes.length < 2 ? 'incomplete' : { value: bytes.readUInt16BE(0), bytes: 2 };
  let value = 0;
  for (const [index, byte] of bytes.subarray(0, 4).entries()) {
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return byte === 0 && index > 0 ? 'malformed' : { value, bytes: index + 1 };
  }
  return bytes.length < 4 ? 'incomplete' : 'malformed';
}

function encodeLength(prefix: LengthPrefix, length: number): Buffer {
  if (prefix === 'two-byte') return Buffer.from([length >> 8, length & 0xff]);
  const bytes: number[] = [];
  let rest = length;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

function describePattern(pattern: BytePattern): string {
  if (pattern.kind === 'any') return '..';
  if (pattern.kind === 'rest') return '**';
  if (pattern.kind === 'bytes') return hex(pattern.bytes);
  const content = describePatterns(pattern.content);
  return pattern.prefix === 'variable' ? `( ${content} )` : `[ ${content} ]`;
}

/** Bytes in pairs; of many only the first. */
export function hex(bytes: Buffer): string {
  const shown = bytes
    .subarray(0, 200)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return bytes.length > 200 ? `${shown} … (${bytes.length} bytes)` : shown;
}
