/** Cuts bytes into packets as a strict receiver does, and says what remains. */

export interface Frames {
  /** Whole packets, from first byte to last. */
  readonly packets: readonly Buffer[];
  /** What stands behind the last whole packet. */
  readonly rest: Buffer;
  /** What is wrong with the header at the beginning of `rest`. */
  readonly fault: string | undefined;
  /** Bytes that the header at the beginning of `rest` announces, itself included; 0 while it is incomplete. */
  readonly announced: number;
}

export function cutIntoFrames(bytes: Buffer): Frames {
  const packets: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const rest = bytes.subarray(offset);
    const header = readHeader(rest);
    if (header === undefined) return { packets, rest, fault: undefined, announced: 0 };
    if (typeof header === 'string') return { packets, rest, fault: header, announced: 0 };
    const length = header.bodyStart + header.remaining;
    if (length > rest.length) return { packets, rest, fault: undefined, announced: length };
    packets.push(rest.subarray(0, length));
    offset += length;
  }
}

/** @returns undefined if more bytes are needed, a text if no bytes can mend it */
export function readHeader(bytes: Buffer): { bodyStart: number; remaining: number } | string | undefined {
  let remaining = 0;
  for (let length = 0; length < 4; length++) {
    const byte = bytes[1 + length];
    if (byte === undefined) return undefined;
    remaining += (byte & 0x7f) * 128 ** length;
    if (byte > 0x7f) continue;
    if (byte === 0 && length > 0) return 'the remaining length is not in its shortest form';
    return { bodyStart: 2 + length, remaining };
  }
  return 'the remaining length is longer than four bytes';
}

/** The part of a whole packet behind its fixed header. */
export function bodyOf(packet: Buffer): Buffer {
  const header = readHeader(packet);
  return typeof header === 'object' ? packet.subarray(header.bodyStart) : Buffer.alloc(0);
}
