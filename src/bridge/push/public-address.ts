/**
 * Which addresses belong to the public internet. Everything else leads to this machine, into the network around it, to the metadata service of
 * a cloud, or nowhere: IANA's registries of special-purpose addresses (RFC 6890 and its successors).
 */
import { AddressRange } from '../../core/address-range.js';
import { fromIpv4Bytes, type IpAddress, ipv4BytesOf } from '../../core/ip-address.js';

const SPECIAL_IPV4 = ranges([
  '0.0.0.0/8', // this network: `0.0.0.0` connects to this machine
  '10.0.0.0/8', // private
  '100.64.0.0/10', // between a provider and its customers; metadata service of Alibaba
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // the platform's own address in Azure
  '169.254.0.0/16', // link-local; metadata service of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
]);

/** Outside of it nothing is global unicast: `::1`, unique local, link-local, site-local, multicast. */
const GLOBAL_UNICAST = range('2000::/3');

const SPECIAL_IPV6 = ranges([
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
]);

/** IPv6 addresses that lead to the IPv4 address within them, and the byte at which that begins. */
const TRANSLATED = [
  { range: range('64:ff9b::/96'), at: 12 }, // NAT64, RFC 6052
  { range: range('2002::/16'), at: 2 }, // 6to4, RFC 3056
];

export function isPublicAddress(address: IpAddress): boolean {
  if (ipv4BytesOf(address) !== null) return !SPECIAL_IPV4.some((special) => special.contains(address));
  for (const { range: translated, at } of TRANSLATED) {
    if (translated.contains(address)) return isPublicAddress(fromIpv4Bytes(address.subarray(at, at + 4)));
  }
  return GLOBAL_UNICAST.contains(address) && !SPECIAL_IPV6.some((special) => special.contains(address));
}

function ranges(texts: readonly string[]): AddressRange[] {
  return texts.map(range);
}

function range(text: string): AddressRange {
  return AddressRange.parse(text) as AddressRange;
}
