/**
 * Reads the header of the PROXY protocol, version 1 or 2, which a proxy sends in front of everything else ("The PROXY protocol",
 * Willy Tarreau, 2020). Takes bytes as they come, never more than belong to the header, and tells the rest apart.
 *
 *   version 1   PROXY TCP4 192.0.2.1 198.51.100.1 56324 1883\r\n       at most 107 bytes
 *   version 2   signature(12) version+command(1) family(1) length(2) addresses TLVs
 */
import { ProxyHeaderInvalid } from '../../core/errors.js';
import { fromIpv4Bytes, ipAddressText, parseIpAddress } from '../../core/ip-address.js';
import { findTlvs, type ProxyTlvs } from './proxy-tlvs.js';

const SIGNATURE_1 = Buffer.from('PROXY ', 'latin1');
const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

const LONGEST_1 = 107;
const FIXED_BYTES_2 = 16;
/** Room for every TLV that there is, several times. The length field would allow 64 KiB. */
const LONGEST_2 = FIXED_BYTES_2 + 4096;

const LINE_FEED = 0x0a;

/** By the byte of family and transport: bytes of one address. */
const STREAMS_OVER_IP = new Map([
  [0x11, 4],
  [0x21, 16],
]);
const UNSPECIFIED = 0x00;
const UNIX_STREAM = 0x31;

export interface ProxyHeader {
  /** Null if it is the proxy's own connection (a health check), or of somebody it does not tell. */
  readonly source: { readonly address: string; readonly port: number } | null;
  readonly tlvs: ProxyTlvs;
}

const NO_TLVS: ProxyTlvs = { authority: null, commonName: null };

/** @param opening the first bytes of a connection: enough of them to tell */
export function beginsAsProxyHeader(opening: Buffer): boolean {
  return [SIGNATURE_1, SIGNATURE_2].some((signature) => opening.subarray(0, signature.length).equals(signature));
}

export class ProxyHeaderReader {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;
  #header: ProxyHeader | null = null;
  #rest: Buffer = Buffer.alloc(0);

  /** Once `push` has said `complete`. */
  get header(): ProxyHeader | null {
    return this.#header;
  }

  /** What is not of the header: once it is complete what comes behind it, and everything if there is none. */
  get rest(): Buffer {
    return this.#rest;
  }

  /**
   * Takes what has come in.
   * @returns `absent` if it does not begin as a header does
   * @throws ProxyHeaderInvalid
   */
  push(chunk: Buffer): 'incomplete' | 'complete' | 'absent' {
    for (let at = 0; at < chunk.length; ) {
      at += this.#take(chunk, at);
      const outcome = this.#look();
      if (outcome === 'incomplete') continue;
      this.#rest =
        outcome === 'complete'
          ? chunk.subarray(at)
          : Buffer.concat([this.#bytes.subarray(0, this.#length), chunk.subarray(at)]);
      return outcome;
    }
    return 'incomplete';
  }

  /** Copies what cannot but belong to the header: the ends of a signature and of a line are looked for byte by byte. */
  #take(chunk: Buffer, at: number): number {
    const isBody = this.#length >= FIXED_BYTES_2 && this.#bytes[0] === SIGNATURE_2[0];
    const count = isBody ? Math.min(chunk.length - at, this.#wantedBytes - this.#length) : 1;
    this.#ensure(this.#length + count);
    chunk.copy(this.#bytes, this.#length, at, at + count);
    this.#length += count;
    return count;
  }

  #ensure(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(LONGEST_2);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  #look(): 'incomplete' | 'complete' | 'absent' {
    const signature = this.#bytes[0] === SIGNATURE_1[0] ? SIGNATURE_1 : SIGNATURE_2;
    const last = this.#length - 1;
    if (this.#length <= signature.length) return this.#bytes[last] === signature[last] ? 'incomplete' : 'absent';
    if (signature === SIGNATURE_1) {
      if (this.#bytes[last] === LINE_FEED) return this.#complete(this.#parseVersion1());
      if (this.#length >= LONGEST_1) throw new ProxyHeaderInvalid('a header of version 1 has no end');
      return 'incomplete';
    }
    if (this.#length < FIXED_BYTES_2) return 'incomplete';
    if (this.#wantedBytes > LONGEST_2) throw new ProxyHeaderInvalid('a header of version 2 is too long');
    return this.#length < this.#wantedBytes ? 'incomplete' : this.#complete(this.#parseVersion2());
  }

  get #wantedBytes(): number {
    return FIXED_BYTES_2 + this.#bytes.readUInt16BE(14);
  }

  #complete(header: ProxyHeader): 'complete' {
    this.#header = header;
    return 'complete';
  }

  #parseVersion1(): ProxyHeader {
    const line = this.#bytes.toString('latin1', 0, this.#length);
    // Whatever stands behind the word is to be ignored.
    if (/^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/.test(line)) return { source: null, tlvs: NO_TLVS };
    const [, family = '', source = '', target = '', sourcePort = '', targetPort = ''] =
      /^PROXY (TCP[46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})\r\n$/.exec(line) ?? [];
    const address = addressOf(family, source);
    const port = Number(sourcePort);
    if (address === null || addressOf(family, target) === null || port > 65_535 || Number(targetPort) > 65_535) {
      throw new ProxyHeaderInvalid('a header of version 1 makes no sense');
    }
    return { source: { address, port }, tlvs: NO_TLVS };
  }

  #parseVersion2(): ProxyHeader {
    const bytes = this.#bytes.subarray(0, this.#length);
    const versionAndCommand = bytes[12];
    const family = bytes[13] ?? UNSPECIFIED;
    // LOCAL: the proxy asks for itself, and whatever stands in the header is to be ignored.
    if (versionAndCommand === 0x20) return { source: null, tlvs: NO_TLVS };
    if (versionAndCommand !== 0x21) throw new ProxyHeaderInvalid('a header has another version or command');
    if (family === UNSPECIFIED || family === UNIX_STREAM) return { source: null, tlvs: NO_TLVS };
    const size = STREAMS_OVER_IP.get(family);
    if (size === undefined) throw new ProxyHeaderInvalid('a header is of no stream over IP');
    const end = FIXED_BYTES_2 + 2 * size + 4;
    if (end > bytes.length) throw new ProxyHeaderInvalid('a header is shorter than its addresses');
    const source = bytes.subarray(FIXED_BYTES_2, FIXED_BYTES_2 + size);
    const address = ipAddressText(size === 4 ? fromIpv4Bytes(source) : source);
    const port = bytes.readUInt16BE(FIXED_BYTES_2 + 2 * size);
    return { source: { address, port }, tlvs: findTlvs(bytes, end) };
  }
}

function addressOf(family: string, text: string): string | null {
  if (text.includes(':') !== (family === 'TCP6')) return null;
  const address = parseIpAddress(text);
  return address === null ? null : ipAddressText(address);
}
