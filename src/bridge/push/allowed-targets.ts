/**
 * Where requests may go, by a list of host names and address ranges. A name in the list opens public addresses only: whoever
 * controls the name in the DNS must not be able to lead us into a private network, so that is opened by naming its range.
 */

import { AddressRange } from '../../core/address-range.js';
import { InvalidArgument } from '../../core/errors.js';
import { parseIpAddress } from '../../core/ip-address.js';
import { isPublicAddress } from './public-address.js';

const HOST_NAME = /^(\*\.)?(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;

export class AllowedTargets {
  readonly #ranges: AddressRange[] = [];
  readonly #names = new Set<string>();
  /** What stands behind the `*` of names such as `*.example.com`, with its dot. */
  readonly #suffixes: string[] = [];

  /** @param entries an empty list allows every public address @throws InvalidArgument */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  /** Whether an entry of a list can be understood. */
  static isEntry(text: string): boolean {
    return AddressRange.parse(text) !== null || isHostName(text.toLowerCase());
  }

  /**
   * Whether there may be a connection to this host at this address.
   * @param host name or address as it stands in a URL
   * @param address to which the name has been resolved
   */
  allows(host: string, address: string): boolean {
    const parsed = parseIpAddress(address);
    if (parsed === null) return false;
    if (this.#ranges.some((range) => range.contains(parsed))) return true;
    return isPublicAddress(parsed) && this.#isNamed(host);
  }

  /** Whether there may be a connection to this host at any address at all. */
  mayAllow(host: string): boolean {
    const address = addressOfHost(host);
    // The one name of which everybody knows where it leads (RFC 6761).
    if (/(^|\.)localhost\.?$/i.test(host)) return this.allows(host, '127.0.0.1') || this.allows(host, '::1');
    return address === null ? this.#ranges.length > 0 || this.#isNamed(host) : this.allows(host, address);
  }

  #add(entry: string): void {
    const range = AddressRange.parse(entry);
    const name = entry.toLowerCase();
    if (range !== null) this.#ranges.push(range);
    else if (!isHostName(name)) throw new InvalidArgument(`${entry} is no host name and no range of addresses`);
    else if (name.startsWith('*.')) this.#suffixes.push(name.slice(1));
    else this.#names.add(name);
  }

  #isNamed(host: string): boolean {
    if (this.#ranges.length + this.#names.size + this.#suffixes.length === 0) return true;
    // The root may be written out.
    const name = host.toLowerCase().replace(/\.$/, '');
    return (
      this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix) && name.length > suffix.length)
    );
  }
}

/** An address with something wrong in it is none: its last label would be a number. */
function isHostName(name: string): boolean {
  return HOST_NAME.test(name) && !/(^|\.)\d+$/.test(name);
}

/** The address that a host of a URL is; null if it is a name. */
export function addressOfHost(host: string): string | null {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return parseIpAddress(bare) === null ? null : bare;
}
