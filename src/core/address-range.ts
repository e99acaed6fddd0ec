/** A range of IP addresses in CIDR notation: `10.0.0.0/8`, `fd00::/8`, or one address. */
import { type IpAddress, ipAddressText, ipv4BytesOf, parseIpAddress } from './ip-address.js';

const ADDRESS_BITS = 128;
const IPV4_BITS = 32;

export class AddressRange {
  readonly #base: IpAddress;
  readonly #bits: number;

  private constructor(base: IpAddress, bits: number) {
    this.#base = base.map((byte, at) => byte & maskAt(at, bits));
    this.#bits = bits;
  }

  /** Bits behind the prefix are not looked at. @returns null for what is no range */
  static parse(text: string): AddressRange | null {
    const [addressText = '', bitsText, ...rest] = text.split('/');
    const base = parseIpAddress(addressText);
    if (base === null || rest.length > 0) return null;
    if (bitsText === undefined) return new AddressRange(base, ADDRESS_BITS);
    // `::ffff:10.0.0.0/104` counts the bits of the long form.
    const ownBits = addressText.includes(':') || ipv4BytesOf(base) === null ? ADDRESS_BITS : IPV4_BITS;
    const bits = /^(0|[1-9]\d{0,2})$/.test(bitsText) ? Number(bitsText) : Number.POSITIVE_INFINITY;
    return bits > ownBits ? null : new AddressRange(base, ADDRESS_BITS - ownBits + bits);
  }

  /** The same for the same addresses: `10.0.0.0/8`, and without a slash for a single one. */
  get text(): string {
    const address = ipAddressText(this.#base);
    if (this.#bits === ADDRESS_BITS) return address;
    const isIpv4 = ipv4BytesOf(this.#base) !== null && this.#bits >= ADDRESS_BITS - IPV4_BITS;
    return `${address}/${isIpv4 ? this.#bits - ADDRESS_BITS + IPV4_BITS : this.#bits}`;
  }

  contains(address: IpAddress): boolean {
    const whole = this.#bits >> 3;
    for (let at = 0; at < whole; at++) if (this.#base[at] !== address[at]) return false;
    const left = this.#bits & 7;
    return left === 0 || ((this.#base[whole] ?? 0) ^ (address[whole] ?? 0)) >> (8 - left) === 0;
  }
}

/** Of one byte of an address, those bits that are within the first `bits`. */
function maskAt(at: number, bits: number): number {
  return (0xff00 >> Math.max(0, Math.min(8, bits - 8 * at))) & 0xff;
}
