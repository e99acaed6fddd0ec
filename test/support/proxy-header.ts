/** Headers of the PROXY protocol, as proxies write them. */
import { crc32c } from '../../src/core/crc32c.js';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** @param verify 0 if the proxy has found the certificate valid */
export function sslTlv(commonName: string | null, verify = 0, client = 0x07): Buffer {
  const head = Buffer.from([client, 0, 0, 0, verify]);
  const version = tlv(0x21, 'TLSv1.3');
  return tlv(0x20, Buffer.concat([head, version, ...(commonName === null ? [] : [tlv(0x22, commonName)])]));
}

export function header2(command: number, family: number, body: Buffer): Buffer {
  const length = Buffer.from([body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, Buffer.from([command, family]), length, body]);
}

/** From `a.b.c.d:port` to 10.0.0.9:1883. */
export function header2OfIpv4(source: readonly number[], port: number, tlvs: readonly Buffer[] = []): Buffer {
  const ports = Buffer.from([port >> 8, port & 0xff, 1883 >> 8, 1883 & 0xff]);
  return header2(0x21, 0x11, Buffer.concat([Buffer.from([...source, 10, 0, 0, 9]), ports, ...tlvs]));
}

/** The same with a sum over everything, behind the other TLVs. */
export function withSum(header: Buffer): Buffer {
  const whole = Buffer.concat([header, tlv(0x03, Buffer.alloc(4))]);
  whole.writeUInt16BE(whole.length - 16, 14);
  whole.writeUInt32BE(crc32c(whole), whole.length - 4);
  return whole;
}
