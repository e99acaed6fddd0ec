/** Tells addresses of this machine alone from others. A name that only looks like one is not one. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether a listener on `host` can be reached from the same machine only. */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return LOOPBACK.check(host, 'ipv4');
  if (isIPv6(host)) return LOOPBACK.check(host, 'ipv6');
  return host.toLowerCase() === 'localhost';
}

/** Whether `host` is an address, and no name that has to be resolved. */
export function isIpAddress(host: string): boolean {
  return isIP(host) !== 0;
}
