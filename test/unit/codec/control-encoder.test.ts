import { type Packet, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import {
  encodeAuth,
  encodeConnack,
  encodeDisconnect,
  encodeSuback,
  encodeUnsuback,
  PINGRESP,
} from '../../../src/codec/control-encoder.js';
import type { ConnackFields } from '../../../src/codec/control-packet.js';
import type { ProtocolVersion } from '../../../src/codec/packet-type.js';
import { InvalidArgument, InvalidState, ProtocolViolation } from '../../../src/core/errors.js';
import { ReasonCode } from '../../../src/core/reason-code.js';
import { packet } from './packet-notation.js';

const ANY_SIZE = Number.POSITIVE_INFINITY;
const NOTHING = Buffer.alloc(0);

/** What a fresh mqtt-packet parser reads. */
function parsed(bytes: Buffer, protocolVersion: ProtocolVersion): Packet {
  const packets: Packet[] = [];
  const fresh = parser({ protocolVersion });
  fresh.on('packet', (each) => packets.push(each));
  fresh.on('error', (error) => {
    throw error;
  });
  expect(fresh.parse(bytes)).toBe(0);
  expect(packets).toHaveLength(1);
  return packets[0] as Packet;
}

describe('PINGRESP', () => {
  it('is two bytes', () => expect(PINGRESP).toEqual(packet('d0')));
});

describe('encodeConnack', () => {
  it('says again what it said last only if nothing differs, and nobody takes less', () => {
    const fields = { sessionPresent: false, reasonCode: 0, receiveMaximum: 1000, maximumPacketSize: 2000 };
    const whole = encodeConnack(fields, 5, ANY_SIZE);
    expect(encodeConnack({ ...fields }, 5, whole.length)).toEqual(whole);
    expect(() => encodeConnack({ ...fields }, 5, whole.length - 1)).toThrow(ProtocolViolation);
    const others: ConnackFields[] = [
      { ...fields, sessionPresent: true },
      { ...fields, receiveMaximum: 999 },
      { ...fields, assignedClientId: 'auto-1' },
      { ...fields, assignedClientId: 'auto-2' },
      { sessionPresent: false, reasonCode: 0, receiveMaximum: 1000 },
      { ...fields, authenticationMethod: 'SCRAM', authenticationData: Buffer.from('v=') },
      fields,
    ];
    const texts = others.map((each) => encodeConnack(each, 5, ANY_SIZE).toString('hex'));
    expect(new Set(texts).size).toBe(others.length);
    expect(texts.at(-1)).toBe(whole.toString('hex'));
  });

  // biome-ignore format: one case, one line
  it.each([
    [3, 'accepts', { sessionPresent: false, reasonCode: 0 }, '20 00 00'],
    [3, 'has no session present, which came with 3.1.1', { sessionPresent: true, reasonCode: 0 }, '20 00 00'],
    [4, 'accepts', { sessionPresent: false, reasonCode: 0 }, '20 00 00'],
    [4, 'tells session present', { sessionPresent: true, reasonCode: 0 }, '20 01 00'],
    [4, 'leaves MQTT 5 properties out', { sessionPresent: true, reasonCode: 0, receiveMaximum: 9, reasonString: 'x' }, '20 01 00'],
    [4, 'refuses without session present [MQTT-3.2.2-4]', { sessionPresent: true, reasonCode: 0x87 }, '20 00 05'],
    [5, 'accepts', { sessionPresent: false, reasonCode: 0 }, '20 00 00 []'],
    [5, 'tells session present', { sessionPresent: true, reasonCode: 0 }, '20 01 00 []'],
    [5, 'refuses without session present [MQTT-3.2.2-6]', { sessionPresent: true, reasonCode: 0x87 }, '20 00 87 []'],
    [5, 'carries numbers and flags', { sessionPresent: false, reasonCode: 0, sessionExpirySeconds: 0xffffffff, receiveMaximum: 1, maximumQos: 1, retainAvailable: false, maximumPacketSize: 1 }, '20 00 00 [11 ffffffff 21 0001 24 01 25 00 27 00000001]'],
    [5, 'carries zeros', { sessionPresent: false, reasonCode: 0, sessionExpirySeconds: 0, maximumQos: 0, topicAliasMaximum: 0, serverKeepAliveSeconds: 0 }, '20 00 00 [11 00000000 24 00 22 0000 13 0000]'],
    [5, 'carries strings', { sessionPresent: false, reasonCode: 0, assignedClientId: 'id', reasonString: 'why', responseInformation: 'r/', serverReference: 's', authenticationMethod: 'm', authenticationData: Buffer.from([0]) }, '20 00 00 [12 "id" 1f "why" 1a "r/" 1c "s" 15 "m" 16 0001 00]'],
    [5, 'carries what is available', { sessionPresent: false, reasonCode: 0, wildcardSubscriptionAvailable: true, subscriptionIdentifierAvailable: true, sharedSubscriptionAvailable: false }, '20 00 00 [28 01 29 01 2a 00]'],
  ] as [ProtocolVersion, string, ConnackFields, string][])('MQTT %i %s', (version, _name, fields, notation) => {
    expect(encodeConnack(fields, version, ANY_SIZE)).toEqual(packet(notation));
  });

  // biome-ignore format: one row per return code
  it.each([
    [1, [0x84]],
    [2, [0x85]],
    [3, [0x80, 0x83, 0x88, 0x89, 0x97, 0x9c, 0x9d, 0x9f]],
    [4, [0x86]],
    [5, [0x87, 0x8a, 0x8c, 0x90, 0x99, 0x9a, 0x9b]],
  ])('tells MQTT 3 return code %i', (returnCode, reasonCodes) => {
    for (const reasonCode of reasonCodes) {
      const expected = Buffer.from([0x20, 2, 0, returnCode]);
      expect(encodeConnack({ sessionPresent: false, reasonCode }, 3, ANY_SIZE)).toEqual(expected);
      expect(encodeConnack({ sessionPresent: false, reasonCode }, 4, ANY_SIZE)).toEqual(expected);
    }
  });

  it.each([0x81, 0x82, 0x95])('has nothing to tell MQTT 3 about 0x%s [MQTT-3.2.2-6]', (reasonCode) => {
    expect(encodeConnack({ sessionPresent: false, reasonCode }, 4, ANY_SIZE)).toEqual(NOTHING);
  });

  it('leaves the reason string out of a packet that would be too large [MQTT-3.2.2-19]', () => {
    const fields = { sessionPresent: false, reasonCode: 0x87, reasonString: 'why' };
    const whole = packet('20 00 87 [1f "why"]');
    expect(encodeConnack(fields, 5, whole.length)).toEqual(whole);
    expect(encodeConnack(fields, 5, whole.length - 1)).toEqual(packet('20 00 87 []'));
  });

  it('is empty if not even a refusal fits, and throws if an acceptance does not [MQTT-3.1.2-24]', () => {
    expect(encodeConnack({ sessionPresent: false, reasonCode: 0x87 }, 5, 4)).toEqual(NOTHING);
    const accept = () => encodeConnack({ sessionPresent: false, reasonCode: 0, receiveMaximum: 1 }, 5, 7);
    expect(accept).toThrow(expect.objectContaining({ reasonCode: ReasonCode.PacketTooLarge }));
    expect(accept).toThrow(ProtocolViolation);
  });

  // biome-ignore format: one case, one line
  it.each([
    ['a code that is not of CONNACK [MQTT-3.2.2-8]', { reasonCode: 0x8e }],
    ['a code that is no number of a byte', { reasonCode: 0x100 }],
    ['receive maximum 0', { receiveMaximum: 0 }],
    ['receive maximum above two bytes', { receiveMaximum: 65_536 }],
    ['a broken number', { topicAliasMaximum: 1.5 }],
    ['a negative number', { sessionExpirySeconds: -1 }],
    ['maximum packet size 0', { maximumPacketSize: 0 }],
    ['a keep alive above two bytes', { serverKeepAliveSeconds: 65_536 }],
    ['a client id above 65,535 bytes', { assignedClientId: 'ä'.repeat(32_768) }],
    ['U+0000 in a string', { serverReference: 'a\0b' }],
    ['a lone surrogate in a string', { responseInformation: 'a\ud800b' }],
    ['authentication data above 65,535 bytes', { authenticationData: Buffer.alloc(65_536) }],
  ])('is never given %s', (_name, fields) => {
    expect(() => encodeConnack({ sessionPresent: false, reasonCode: 0, ...fields }, 5, ANY_SIZE)).toThrow(InvalidArgument);
  });

  it('takes the longest strings', () => {
    const assignedClientId = `a${'ä'.repeat(32_767)}`;
    const bytes = encodeConnack({ sessionPresent: false, reasonCode: 0, assignedClientId }, 5, ANY_SIZE);
    expect(parsed(bytes, 5)).toMatchObject({ properties: { assignedClientIdentifier: assignedClientId } });
  });
});

describe('encodeSuback and encodeUnsuback', () => {
  it('answer in the order of the filters [MQTT-3.9.3-1] [MQTT-3.11.3-1]', () => {
    const granted = { packetId: 0xffff, reasonCodes: [2, 0, 0x8f, 1] };
    expect(encodeSuback(granted, 5, ANY_SIZE)).toEqual(packet('90 ffff [] 02 00 8f 01'));
    const deleted = { packetId: 1, reasonCodes: [0x11, 0, 0x87] };
    expect(encodeUnsuback(deleted, 5, ANY_SIZE)).toEqual(packet('b0 0001 [] 11 00 87'));
  });

  it('tell MQTT 3 one failure only, and nothing in UNSUBACK', () => {
    const fields = { packetId: 7, reasonCodes: [0, 1, 2, 0x80, 0x87, 0x8f, 0x97, 0xa2], reasonString: 'why' };
    expect(encodeSuback(fields, 4, ANY_SIZE)).toEqual(packet('90 0007 00 01 02 80 80 80 80 80'));
    expect(encodeSuback(fields, 3, ANY_SIZE)).toEqual(packet('90 0007 00 01 02 80 80 80 80 80'));
    expect(encodeUnsuback({ packetId: 7, reasonCodes: [0x11], reasonString: 'why' }, 4, ANY_SIZE)).toEqual(
      packet('b0 0007'),
    );
  });

  it('leave the reason string out of a packet that would be too large [MQTT-3.9.2-1] [MQTT-3.11.2-1]', () => {
    const fields = { packetId: 1, reasonCodes: [0x87], reasonString: 'why' };
    expect(encodeSuback(fields, 5, 12)).toEqual(packet('90 0001 [1f "why"] 87'));
    expect(encodeSuback(fields, 5, 11)).toEqual(packet('90 0001 [] 87'));
    expect(encodeUnsuback(fields, 5, 12)).toEqual(packet('b0 0001 [1f "why"] 87'));
    expect(encodeUnsuback(fields, 5, 11)).toEqual(packet('b0 0001 [] 87'));
  });

  it('throw if the client takes no packet of that size [MQTT-3.1.2-24]', () => {
    const tooLarge = expect.objectContaining({ reasonCode: ReasonCode.PacketTooLarge });
    expect(() => encodeSuback({ packetId: 1, reasonCodes: [0] }, 5, 5)).toThrow(tooLarge);
    expect(() => encodeUnsuback({ packetId: 1, reasonCodes: [0] }, 5, 5)).toThrow(tooLarge);
  });

  it.each([
    ['identifier 0', { packetId: 0, reasonCodes: [0] }],
    ['an identifier above two bytes', { packetId: 65_536, reasonCodes: [0] }],
    ['no code', { packetId: 1, reasonCodes: [] }],
    ['a code that neither knows [MQTT-3.9.3-2] [MQTT-3.11.3-2]', { packetId: 1, reasonCodes: [0x03] }],
    ['a code that is no number of a byte', { packetId: 1, reasonCodes: [0x100] }],
  ])('are never given %s', (_name, fields) => {
    expect(() => encodeSuback(fields, 5, ANY_SIZE)).toThrow(InvalidArgument);
    expect(() => encodeUnsuback(fields, 5, ANY_SIZE)).toThrow(InvalidArgument);
  });

  it('hold many codes', () => {
    const reasonCodes = Array.from({ length: 100_000 }, (_, i) => i % 3);
    expect(parsed(encodeSuback({ packetId: 1, reasonCodes }, 5, ANY_SIZE), 5)).toMatchObject({ granted: reasonCodes });
  });
});

describe('encodeDisconnect', () => {
  it('carries code, reason string and server reference', () => {
    expect(encodeDisconnect({ reasonCode: 0x8e }, 5, ANY_SIZE)).toEqual(packet('e0 8e []'));
    const moved = { reasonCode: 0x9d, reasonString: 'why', serverReference: 's:1' };
    expect(encodeDisconnect(moved, 5, ANY_SIZE)).toEqual(packet('e0 9d [1f "why" 1c "s:1"]'));
  });

  it('leaves the reason string out, then says nothing [MQTT-3.14.2-3] [MQTT-3.1.2-24]', () => {
    const fields = { reasonCode: 0x82, reasonString: 'why' };
    expect(encodeDisconnect(fields, 5, 10)).toEqual(packet('e0 82 [1f "why"]'));
    expect(encodeDisconnect(fields, 5, 9)).toEqual(packet('e0 82 []'));
    expect(encodeDisconnect(fields, 5, 3)).toEqual(NOTHING);
  });

  it('does not exist for MQTT 3', () => {
    expect(() => encodeDisconnect({ reasonCode: 0x82 }, 4, ANY_SIZE)).toThrow(InvalidState);
    expect(() => encodeDisconnect({ reasonCode: 0x82 }, 3, ANY_SIZE)).toThrow(InvalidState);
  });

  it.each([0x04, 0x84, 0x86, 0x01, -1, 256])('is never given %i [MQTT-3.14.2-1]', (reasonCode) => {
    expect(() => encodeDisconnect({ reasonCode }, 5, ANY_SIZE)).toThrow(InvalidArgument);
  });

  it.each([
    ['is cut at a character', `a${'ä'.repeat(40_000)}`, `a${'ä'.repeat(32_767)}`],
    ['is cut before a character that does not fit', `${'ä'.repeat(40_000)}`, 'ä'.repeat(32_767)],
    ['is cut before a surrogate pair', `${'a'.repeat(65_533)}😀`, 'a'.repeat(65_533)],
    ['is whole at the longest', 'a'.repeat(65_535), 'a'.repeat(65_535)],
    ['has no U+0000', 'a\0b\0', 'a\ufffdb\ufffd'],
    ['has no lone surrogate', 'a\ud800b\udc00c😀', 'a\ufffdb\ufffdc😀'],
  ])('has a reason string that %s', (_name, reasonString, expected) => {
    const bytes = encodeDisconnect({ reasonCode: 0x82, reasonString }, 5, ANY_SIZE);
    expect(parsed(bytes, 5)).toMatchObject({ reasonCode: 0x82, properties: { reasonString: expected } });
  });
});

describe('encodeAuth', () => {
  it('carries method, data and reason string', () => {
    const fields = { reasonCode: 0x18, authenticationMethod: 'm', authenticationData: Buffer.from([0, 255]) };
    expect(encodeAuth(fields, 5, ANY_SIZE)).toEqual(packet('f0 18 [15 "m" 16 0002 00ff]'));
    const withReason = { reasonCode: 0x00, authenticationMethod: 'm', reasonString: 'why' };
    expect(encodeAuth(withReason, 5, ANY_SIZE)).toEqual(packet('f0 00 [15 "m" 1f "why"]'));
    expect(encodeAuth(withReason, 5, 13)).toEqual(packet('f0 00 [15 "m"]')); // [MQTT-3.15.2-2]
  });

  it('does not exist for MQTT 3', () => {
    expect(() => encodeAuth({ reasonCode: 0x18, authenticationMethod: 'm' }, 4, ANY_SIZE)).toThrow(InvalidState);
  });

  it('is never given a code of clients [MQTT-3.15.2-1]', () => {
    expect(() => encodeAuth({ reasonCode: 0x19, authenticationMethod: 'm' }, 5, ANY_SIZE)).toThrow(InvalidArgument);
  });

  it('throws if it is too large', () => {
    const fields = { reasonCode: 0x18, authenticationMethod: 'method' };
    expect(() => encodeAuth(fields, 5, 8)).toThrow(expect.objectContaining({ reasonCode: ReasonCode.PacketTooLarge }));
  });
});
