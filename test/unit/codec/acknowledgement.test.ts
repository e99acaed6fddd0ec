import { describe, expect, it } from 'vitest';
import { AcknowledgementDecoder } from '../../../src/codec/acknowledgement.js';
import { MalformedPacket, ProtocolViolation } from '../../../src/core/errors.js';

const decoder = new AcknowledgementDecoder();

function decode(bytes: readonly number[], isVersion5: boolean): AcknowledgementDecoder {
  const chunk = Buffer.from([0xee, ...bytes, 0xee]);
  decoder.decode(chunk, 1, 3, 1 + bytes.length, isVersion5 ? 5 : 4);
  return decoder;
}

const RECEIPT = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASE = [0x00, 0x92];
const TYPES = [
  ['PUBACK', 0x40, RECEIPT],
  ['PUBREC', 0x50, RECEIPT],
  ['PUBREL', 0x62, RELEASE],
  ['PUBCOMP', 0x70, RELEASE],
] as const;

describe.each(TYPES)('AcknowledgementDecoder: %s', (_name, first, codes) => {
  it.each([false, true])('reads the short form (MQTT 5: %s)', (isVersion5) => {
    const { packetId, reasonCode } = decode([first, 2, 0x12, 0x34], isVersion5);
    expect([packetId, reasonCode]).toEqual([0x1234, 0]);
  });

  it('takes the reason codes of its table and no others', () => {
    for (let code = 0; code < 256; code++) {
      if (codes.includes(code)) expect(decode([first, 3, 0, 1, code], true).reasonCode).toBe(code);
      else expect(() => decode([first, 3, 0, 1, code], true)).toThrow(MalformedPacket);
    }
  });

  it('takes Reason String and user properties', () => {
    const properties = [0x1f, 0, 1, 0x61, 0x26, 0, 1, 0x62, 0, 1, 0x63, 0x26, 0, 0, 0, 0];
    const bytes = [first, 4 + properties.length, 0, 9, 0x00, properties.length, ...properties];
    expect(decode(bytes, true).packetId).toBe(9);
    expect(decode([first, 4, 0, 9, 0, 0], true).packetId).toBe(9);
  });

  it.each([
    ['wrong flags', [first ^ 0x01, 2, 0, 1], false],
    ['other wrong flags', [first ^ 0x08, 2, 0, 1], true],
    ['identifier 0', [first, 2, 0, 0], false],
    ['half an identifier', [first, 1, 0], true],
    ['nothing', [first, 0], true],
    ['a reason code in MQTT 3', [first, 3, 0, 1, 0], false],
    ['a property length beyond the end', [first, 4, 0, 1, 0, 5], true],
    ['bytes behind the properties', [first, 5, 0, 1, 0, 0, 0], true],
    ['a foreign property', [first, 6, 0, 1, 0, 2, 0x01, 0], true],
  ])('refuses %s', (_what, bytes, isVersion5) => {
    expect(() => decode(bytes, isVersion5)).toThrow(MalformedPacket);
  });

  it('refuses a Reason String that stands twice with a protocol error', () => {
    const twice = [0x1f, 0, 0, 0x1f, 0, 0];
    expect(() => decode([first, 4 + twice.length, 0, 1, 0, twice.length, ...twice], true)).toThrow(ProtocolViolation);
  });
});
