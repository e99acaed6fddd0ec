/** A list of address ranges that a peer's address is looked up in. */
import { AddressRange } from './address-range.js';
import { InvalidArgument } from './errors.js';
import { parseIpAddress } from './ip-address.js';

export class AddressRanges {
  readonly #ranges: readonly AddressRange[];

  /** @param texts in CIDR notation, or single addresses @throws InvalidArgument */
  constructor(texts: readonly string[]) {
    this.#ranges = texts.map((text) => {
      const range = AddressRange.parse(text);
      if (range === null) throw new InvalidArgument(`"${text}" is neither an IP address nor a range of them`);
      return range;
    });
  }

  /** What is no address is in no range. */
  contains(text: string): boolean {
    if (this.#ranges.length === 0) return false;
    const address = parseIpAddress(text.split('%', 1)[0] ?? '');
    return address !== null && this.#ranges.some((range) => range.contains(address));
  }
}
