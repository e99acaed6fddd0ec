/**
 * Packets as one readable line:
 *
 *   packet('82 0001 [0b 05] "a/b" 01')
 *
 * The first byte is followed by the remaining length, which is put in. Then come bytes in hex, "text" for a string
 * with its two-byte length, and [ … ] for a property section with its length.
 */
export function packet(notation: string): Buffer {
  const tokens = (notation.match(TOKEN) ?? []).values();
  const first = tokens.next().value as string;
  return framed(Number.parseInt(first, 16), sequence(tokens));
}

/** Bytes in hex, nothing added. */
export function rawBytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

/** Puts the first byte and the remaining length in front of `body`. */
export function framed(firstByte: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([firstByte]), variableByteInteger(body.length), body]);
}

/** What stands behind the remaining length of `frame`. */
export function bodyOf(frame: Buffer): Buffer {
  let offset = 1;
  while ((frame[offset] as number) >= 0x80) offset++;
  return frame.subarray(offset + 1);
}

export function variableByteInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return Buffer.from(bytes);
}

const TOKEN = /"[^"]*"|\[|\]|[0-9a-f]+/g;

/** Takes tokens up to the closing bracket of its section, or to the end. */
function sequence(tokens: Iterator<string>): Buffer {
  const parts: Buffer[] = [];
  for (let next = tokens.next(); !next.done && next.value !== ']'; next = tokens.next()) {
    const token = next.value;
    if (token === '[') {
      const section = sequence(tokens);
      parts.push(variableByteInteger(section.length), section);
    } else if (token.startsWith('"')) {
      const text = Buffer.from(token.slice(1, -1));
      parts.push(Buffer.from([text.length >> 8, text.length & 0xff]), text);
    } else parts.push(Buffer.from(token, 'hex'));
  }
  return Buffer.concat(parts);
}
