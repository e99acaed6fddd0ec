/**
 * IP addresses as 16 bytes, so that one comparison does for all of their forms: an IPv4 address stands in its IPv4-mapped form, and is the
 * same whether it was written as `10.0.0.1` or as `::ffff:a00:1` (RFC 4291, section 2.5.5.2).
 */

/** 16 bytes. */
export type IpAddress = Uint8Array;

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const GROUPS = 8;

/** @returns null for what is no address; one with a zone (`fe80::1%eth0`) is none */
export function parseIpAddress(text: string): IpAddress | null {
  if (!text.includes(':')) {
    const bytes = parseIpv4(text);
    return bytes === null ? null : Uint8Array.from([...MAPPED_PREFIX, ...bytes]);
  }
  const [head = '', tail, ...rest] = text.split('::');
  if (rest.length > 0) return null;
  const front = parseGroups(head, tail === undefined);
  const back = tail === undefined ? [] : parseGroups(tail, true);
  if (front === null || back === null) return null;
  const missing = GROUPS * 2 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...front, ...new Array<number>(missing).fill(0), ...back]);
}

/** The four bytes of an IPv4 address, also of one in IPv4-mapped form; null for any other. */
export function ipv4BytesOf(address: IpAddress): Uint8Array | null {
  return MAPPED_PREFIX.every((byte, at) => address[at] === byte) ? address.subarray(12) : null;
}

/** The address that has these four bytes. */
export function fromIpv4Bytes(bytes: Uint8Array): IpAddress {
  return Uint8Array.from([...MAPPED_PREFIX, ...bytes]);
}

/** Strict: `010.1` and `0x7f.1`, which some programs take for addresses, are none. */
function parseIpv4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** @param mayEndInIpv4 the last groups of an address may be written as an IPv4 address */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [at, group] of groups.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const last = mayEndInIpv4 && at === groups.length - 1 ? parseIpv4(group) : null;
    if (last === null) return null;
    bytes.push(...last);
  }
  return bytes;
}

/** As people write it (RFC 5952): in dots for an IPv4 address in whatever form, else with the longest run of zeros left out. */
export function ipAddressText(address: IpAddress): string {
  const ipv4 = ipv4BytesOf(address);
  if (ipv4 !== null) return ipv4.join('.');
  const groups = Array.from({ length: GROUPS }, (_, at) =>
    (((address[2 * at] ?? 0) << 8) | (address[2 * at + 1] ?? 0)).toString(16),
  );
  const runs = groups.map((_, at) => groups.slice(at).findIndex((group) => group !== '0'));
  const lengths = runs.map((length, at) => (length === -1 ? GROUPS - at : length));
  const longest = Math.max(...lengths);
  if (longest < 2) return groups.join(':');
  const start = lengths.indexOf(longest);
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`;
}
