/**
 * Who has opened a WebSocket through proxies that speak HTTP. Each of them adds the address that it was asked from at the right;
 * what stands left of the first that is not ours may be made up by the client (RFC 7239, section 8.1).
 */
import { AddressRanges } from '../../core/address-ranges.js';
import { ipAddressText, parseIpAddress } from '../../core/ip-address.js';
import type { ForwardedForOptions } from './proxy-options.js';

/** More is not looked at: nobody has so many proxies. */
const LONGEST_HEADER = 8192;

export class ForwardedFor {
  readonly #trusted: AddressRanges;
  readonly #header: ForwardedForOptions['header'];

  /** @throws InvalidArgument for a range that is none */
  constructor({ trusted, header }: ForwardedForOptions) {
    this.#trusted = new AddressRanges(trusted);
    this.#header = header;
  }

  isTrusted(address: string): boolean {
    return this.#trusted.contains(address);
  }

  /**
   * @param address of whoever has connected to us
   * @returns the address of the client; null if it is who has connected, or a proxy says what cannot be understood
   */
  clientOf(address: string, headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
    if (!this.isTrusted(address)) return null;
    const value = [headers[this.#header] ?? []].flat().join(',').slice(-LONGEST_HEADER);
    let client: string | null = null;
    for (const text of this.#hops(value).reverse()) {
      const parsed = parseIpAddress(withoutPort(text));
      if (parsed === null) return client;
      client = ipAddressText(parsed);
      if (!this.isTrusted(client)) return client;
    }
    return client;
  }

  #hops(value: string): string[] {
    const elements = value.split(',').map((element) => element.trim());
    if (this.#header === 'x-forwarded-for') return elements;
    return elements.map((element) => /(?:^|;)\s*for\s*=\s*("?)([^";,]*)\1\s*(?:;|$)/i.exec(element)?.[2] ?? '');
  }
}

/** `192.0.2.1:4711`, `[2001:db8::1]:4711` and `[2001:db8::1]` without what is not of the address. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) return bracketed[1] ?? '';
  return /^[^:]*:\d{1,5}$/.test(text) ? text.slice(0, text.indexOf(':')) : text;
}
