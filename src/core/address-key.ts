/**
 * The name under which a peer's address is counted. Whoever has one IPv6 address usually has the whole /64, and could come from
 * another one each time: they all count as one (RFC 4291, section 2.5.4).
 */
import { ipv4BytesOf, parseIpAddress } from './ip-address.js';

const PREFIX_BYTES = 8;

/** @returns `10.0.0.1` for an IPv4 address in any of its forms, `2001:db8:0:1::/64` for one of IPv6, else the text as it is */
export function addressKey(text: string): string {
  // Node writes IPv4 addresses in this one form, and they are by far the most.
  if (!text.includes(':')) return text;
  // An address of this link alone names the interface behind a %.
  const address = parseIpAddress(text.split('%', 1)[0] ?? '');
  if (address === null) return text;
  const ipv4 = ipv4BytesOf(address);
  if (ipv4 !== null) return ipv4.join('.');
  const groups: string[] = [];
  for (let at = 0; at < PREFIX_BYTES; at += 2) {
    groups.push((((address[at] ?? 0) << 8) | (address[at + 1] ?? 0)).toString(16));
  }
  return `${groups.join(':')}::/64`;
}
