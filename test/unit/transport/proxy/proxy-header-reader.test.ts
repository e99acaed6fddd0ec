import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../src/core/crc32c.js';
import { ProxyHeaderInvalid } from '../../../../src/core/errors.js';
import { type ProxyHeader, ProxyHeaderReader } from '../../../../src/transport/proxy/proxy-header-reader.js';
import { header2, header2OfIpv4, sslTlv, tlv, withSum } from '../../../support/proxy-header.js';

interface Read {
  readonly outcome: string;
  readonly header: ProxyHeader | null;
  readonly rest: Buffer;
}

/** As the door reads: until the header is told from what follows; later pieces are not the reader's any more. */
function read(pieces: readonly Buffer[]): Read {
  const reader = new ProxyHeaderReader();
  for (const [index, piece] of pieces.entries()) {
    const outcome = reader.push(piece);
    if (outcome === 'incomplete') continue;
    return { outcome, header: reader.header, rest: Buffer.concat([reader.rest, ...pieces.slice(index + 1)]) };
  }
  return { outcome: 'incomplete', header: null, rest: Buffer.alloc(0) };
}

function outcomeOf(pieces: readonly Buffer[]): Read | 'invalid' {
  try {
    return read(pieces);
  } catch (error) {
    if (error instanceof ProxyHeaderInvalid) return 'invalid';
    throw error;
  }
}

const singleBytes = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

const sourceOf = (bytes: Buffer | string): ProxyHeader['source'] | undefined =>
  read([Buffer.from(bytes)]).header?.source;

describe('version 1', () => {
  it('tells the address and port of the client', () => {
    expect(sourceOf('PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n')).toEqual({
      address: '192.0.2.7',
      port: 56_324,
    });
  });

  it('knows IPv6, in one form whatever the proxy writes', () => {
    const line = 'PROXY TCP6 2001:0DB8:0000::7 ::1 4711 8883\r\n';
    expect(sourceOf(line)).toEqual({ address: '2001:db8::7', port: 4711 });
  });

  it.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'])('leaves it open whose it is: %j', (line) => {
    expect(sourceOf(line)).toBeNull();
  });

  it.each([
    ['no end', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['an end without CR', 'PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n'],
    ['another family', 'PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n'],
    ['an address of the other family', 'PROXY TCP4 ::1 ::2 1 2\r\n'],
    ['no address', 'PROXY TCP4 300.0.2.7 198.51.100.1 1 2\r\n'],
    ['a port too high', 'PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n'],
    ['too few parts', 'PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n'],
    ['two blanks', 'PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n'],
  ])('is refused with %s', (_what, line) => {
    expect(outcomeOf([Buffer.from(line)])).toBe('invalid');
  });
});

describe('version 2', () => {
  it('tells the address and port of the client', () => {
    expect(sourceOf(header2OfIpv4([192, 0, 2, 7], 56_324))).toEqual({ address: '192.0.2.7', port: 56_324 });
    const addresses = Buffer.from(`20010db8${'00'.repeat(11)}07${'00'.repeat(15)}0112671883`, 'hex');
    expect(sourceOf(header2(0x21, 0x21, addresses))).toEqual({ address: '2001:db8::7', port: 0x1267 });
  });

  it('is the proxy’s own with LOCAL, whatever stands in it', () => {
    expect(sourceOf(header2(0x20, 0x11, Buffer.from([1, 2, 3])))).toBeNull();
    expect(sourceOf(header2(0x20, 0, Buffer.alloc(0)))).toBeNull();
  });

  it('leaves open whose it is without an address', () => {
    expect(sourceOf(header2(0x21, 0, Buffer.alloc(0)))).toBeNull();
    expect(sourceOf(header2(0x21, 0x31, Buffer.alloc(216)))).toBeNull();
  });

  it('tells the host that was asked for, and a name that was verified', () => {
    const header = header2OfIpv4([192, 0, 2, 7], 1, [
      tlv(0x02, 'mqtt.example.com'),
      tlv(0xee, 'x'),
      sslTlv('device-7'),
    ]);
    expect(read([header]).header?.tlvs).toEqual({ authority: 'mqtt.example.com', commonName: 'device-7' });
  });

  it.each([
    ['that was not verified', sslTlv('device-7', 1)],
    ['of no certificate', sslTlv('device-7', 0, 0x01)],
    ['without TLS', sslTlv('device-7', 0, 0x06)],
    ['that is not there', sslTlv(null)],
  ])('tells no name %s', (_what, ssl) => {
    expect(read([header2OfIpv4([192, 0, 2, 7], 1, [ssl])]).header?.tlvs.commonName).toBeNull();
  });

  it('checks the sum, if there is one', () => {
    // RFC 3720, B.4: 32 bytes of zeros
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    const header = withSum(header2OfIpv4([192, 0, 2, 7], 1));
    expect(sourceOf(header)).toEqual({ address: '192.0.2.7', port: 1 });
    header[16] = 193;
    expect(outcomeOf([header])).toBe('invalid');
  });

  it.each([
    ['another version', header2(0x11, 0x11, Buffer.alloc(12))],
    ['another command', header2(0x22, 0x11, Buffer.alloc(12))],
    ['UDP', header2(0x21, 0x12, Buffer.alloc(12))],
    ['half an address', header2(0x21, 0x11, Buffer.alloc(11))],
    ['a TLV that is cut off', header2OfIpv4([1, 2, 3, 4], 1, [Buffer.from([0x02, 0])])],
    ['a TLV longer than the rest', header2OfIpv4([1, 2, 3, 4], 1, [Buffer.from([0x02, 0, 5, 1])])],
    ['an SSL TLV too short', header2OfIpv4([1, 2, 3, 4], 1, [tlv(0x20, 'abc')])],
    ['a sum of another size', header2OfIpv4([1, 2, 3, 4], 1, [tlv(0x03, 'abc')])],
  ])('is refused with %s', (_what, header) => {
    expect(outcomeOf([header])).toBe('invalid');
  });

  it('is refused by its length, before it is waited for', () => {
    expect(outcomeOf([header2(0x21, 0x11, Buffer.alloc(60_000)).subarray(0, 16)])).toBe('invalid');
  });
});

describe('what comes behind the header', () => {
  it.each([
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n')],
    ['version 2', header2OfIpv4([192, 0, 2, 7], 56_324, [sslTlv('n'), tlv(4, Buffer.alloc(300))])],
  ])('is kept, however it is cut: %s', (_what, header) => {
    const whole = Buffer.concat([header, Buffer.from('\x10\x0cPROXY \r\n\r\n')]);
    for (const pieces of [[whole], singleBytes(whole), [whole.subarray(0, 17), whole.subarray(17)]]) {
      const { header: found, rest } = read(pieces);
      expect(found?.source).toEqual({ address: '192.0.2.7', port: 56_324 });
      expect(rest.toString('latin1')).toBe('\x10\x0cPROXY \r\n\r\n');
    }
  });

  it.each(['\x10\x0c\0\x04MQTT', '\x16\x03\x01', 'GET / HTTP/1.1\r\n\r\n', 'PUT / HTTP', 'PROXIED', '\r\n\r\n\0x'])(
    'is everything if there is no header: %j',
    (text) => {
      const bytes = Buffer.from(text, 'latin1');
      for (const pieces of [[bytes], singleBytes(bytes)]) {
        const { outcome, rest } = read(pieces);
        expect(outcome).toBe('absent');
        expect(rest).toEqual(bytes);
      }
    },
  );
});

describe('whatever comes', () => {
  const starts = fc.constantFrom(
    '',
    'P',
    'PROXY ',
    'PROXY TCP4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0',
  );
  const input = fc
    .tuple(starts, fc.uint8Array({ maxLength: 200 }))
    .map(([start, bytes]) => Buffer.concat([Buffer.from(start, 'latin1'), bytes]));

  it('is the same in one piece and in single bytes, and nothing of it is lost', () => {
    fc.assert(
      fc.property(input, (bytes) => {
        const whole = outcomeOf([bytes]);
        expect(outcomeOf(singleBytes(bytes))).toEqual(whole);
        if (whole !== 'invalid' && whole.outcome === 'absent') expect(whole.rest).toEqual(bytes);
        if (whole !== 'invalid' && whole.outcome === 'complete') {
          expect(bytes.subarray(bytes.length - whole.rest.length)).toEqual(whole.rest);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is read back as it was written', () => {
    const part = fc.integer({ min: 0, max: 255 });
    const tlvs = fc.array(fc.tuple(fc.integer({ min: 0x30, max: 0xff }), fc.uint8Array({ maxLength: 40 })), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(
        fc.tuple(part, part, part, part),
        fc.integer({ min: 0, max: 65_535 }),
        tlvs,
        (address, port, list) => {
          const header = header2OfIpv4(
            address,
            port,
            list.map(([type, value]) => tlv(type, Buffer.from(value))),
          );
          expect(sourceOf(withSum(header))).toEqual({ address: address.join('.'), port });
        },
      ),
    );
  });
});
