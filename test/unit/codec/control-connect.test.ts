import { describe, expect, it } from 'vitest';
import { decodeConnect } from '../../../src/codec/connect-decoder.js';
import type { ConnectPacket } from '../../../src/codec/control-packet.js';
import { peekProtocolVersion } from '../../../src/codec/protocol-level.js';
import { MalformedPacket, ProtocolViolation, UnsupportedProtocol } from '../../../src/core/errors.js';
import { packet, rawBytes } from './packet-notation.js';

type Accepted = [name: string, notation: string, expected: Partial<ConnectPacket>];

// biome-ignore format: one case, one line
const ACCEPTED: Accepted[] = [
  // --- MQTT 3.1
  ['3.1', '10 "MQIsdp" 03 02 003c "c"', { protocolVersion: 3, clientId: 'c', cleanStart: true, keepAliveSeconds: 60 }],
  ['3.1 bridge', '10 "MQIsdp" 83 02 0000 "c"', { protocolVersion: 3, isBridge: true }],
  ['3.1 client id over 23 bytes', '10 "MQIsdp" 03 02 0000 "abcdefghijklmnopqrstuvwxyz"', { clientId: 'abcdefghijklmnopqrstuvwxyz' }],
  // --- MQTT 3.1.1
  ['3.1.1', '10 "MQTT" 04 00 ffff "c"', { protocolVersion: 4, isBridge: false, cleanStart: false, keepAliveSeconds: 65535, will: undefined, username: undefined, password: undefined }],
  ['3.1.1 bridge', '10 "MQTT" 84 02 0000 "c"', { protocolVersion: 4, isBridge: true }],
  ['3.1.1 empty client id', '10 "MQTT" 04 00 0000 ""', { clientId: '' }],
  ['3.1.1 client id over 23 bytes', '10 "MQTT" 04 02 0000 "abcdefghijklmnopqrstuvwxyz"', { clientId: 'abcdefghijklmnopqrstuvwxyz' }],
  ['3.1.1 will', '10 "MQTT" 04 2e 0000 "c" "w/t" 0002 00ff', { will: { topic: 'w/t', payload: rawBytes('00 ff'), qos: 1, retain: true, delaySeconds: 0, publishProperties: Buffer.alloc(0) } }],
  ['3.1.1 empty will payload', '10 "MQTT" 04 16 0000 "c" "w" 0000', { will: { topic: 'w', payload: Buffer.alloc(0), qos: 2, retain: false, delaySeconds: 0, publishProperties: Buffer.alloc(0) } }],
  ['3.1.1 user name alone', '10 "MQTT" 04 82 0000 "c" "u"', { username: 'u', password: undefined }],
  ['3.1.1 user name and binary password', '10 "MQTT" 04 c2 0000 "c" "u" 0003 00ffed', { username: 'u', password: rawBytes('00 ff ed') }],
  ['3.1.1 empty user name and password', '10 "MQTT" 04 c2 0000 "c" "" 0000', { username: '', password: Buffer.alloc(0) }],
  ['a byte order mark is kept [MQTT-1.5.4-3]', '10 "MQTT" 04 02 0000 0004 efbbbf63', { clientId: '\ufeffc' }],
  ['U+FFFD sent as such is kept', '10 "MQTT" 04 02 0000 0003 efbfbd', { clientId: '\ufffd' }],
  ['control characters are accepted', '10 "MQTT" 04 02 0000 0003 01097f', { clientId: '\x01\t\x7f' }],
  ['four-byte characters', '10 "MQTT" 04 02 0000 0004 f09f9880', { clientId: '😀' }],
  // --- MQTT 5
  ['5', '10 "MQTT" 05 02 003c [] "c"', { protocolVersion: 5, sessionExpirySeconds: undefined, receiveMaximum: undefined, maximumPacketSize: undefined, topicAliasMaximum: undefined, requestResponseInformation: false, requestProblemInformation: true, userProperties: [], authenticationMethod: undefined, authenticationData: undefined }],
  ['5 password without user name (3.1.2.9)', '10 "MQTT" 05 42 0000 [] "c" "p"', { username: undefined, password: Buffer.from('p') }],
  ['5 session expiry, largest', '10 "MQTT" 05 02 0000 [11 ffffffff] "c"', { sessionExpirySeconds: 0xffffffff }],
  ['5 session expiry 0', '10 "MQTT" 05 02 0000 [11 00000000] "c"', { sessionExpirySeconds: 0 }],
  ['5 limits', '10 "MQTT" 05 02 0000 [21 0001 27 00000001 22 0000] "c"', { receiveMaximum: 1, maximumPacketSize: 1, topicAliasMaximum: 0 }],
  ['5 request information', '10 "MQTT" 05 02 0000 [19 01 17 00] "c"', { requestResponseInformation: true, requestProblemInformation: false }],
  ['5 request information, other values', '10 "MQTT" 05 02 0000 [19 00 17 01] "c"', { requestResponseInformation: false, requestProblemInformation: true }],
  ['5 authentication', '10 "MQTT" 05 02 0000 [15 "SCRAM" 16 0002 00ff] "c"', { authenticationMethod: 'SCRAM', authenticationData: rawBytes('00 ff') }],
  ['5 method behind its data', '10 "MQTT" 05 02 0000 [16 0001 07 15 "m"] "c"', { authenticationMethod: 'm', authenticationData: rawBytes('07') }],
  ['5 user properties in order, with repeats', '10 "MQTT" 05 02 0000 [26 "b" "1" 26 "a" "2" 26 "b" "" 26 "2" "x" 26 "1" "y" 26 "__proto__" "z"] "c"', { userProperties: [['b', '1'], ['a', '2'], ['b', ''], ['2', 'x'], ['1', 'y'], ['__proto__', 'z']] }],
  ['5 will without properties', '10 "MQTT" 05 06 0000 [] "c" [] "w" "x"', { will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, delaySeconds: 0, publishProperties: Buffer.alloc(0) } }],
  ['5 will delay alone', '10 "MQTT" 05 06 0000 [] "c" [18 0000000a] "w" "x"', { will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, delaySeconds: 10, publishProperties: Buffer.alloc(0) } }],
  ['5 will properties keep their order around the delay [MQTT-3.1.3-10]', '10 "MQTT" 05 06 0000 [] "c" [26 "k" "1" 18 00000001 01 01 26 "k" "2"] "w" "x"', { will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, delaySeconds: 1, publishProperties: rawBytes('26 00016b 000131 0101 26 00016b 000132') } }],
  ['5 every will property', '10 "MQTT" 05 06 0000 [] "c" [02 0000003c 03 "t" 08 "r/t" 09 0002 00ff 01 00] "w" "x"', { will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, delaySeconds: 0, publishProperties: rawBytes('02 0000003c 03 000174 08 0003722f74 09 0002 00ff 01 00') } }],
];

type Refused = [name: string, notation: string, reasonCode: number];

// biome-ignore format: one case, one line
const REFUSED: Refused[] = [
  // --- fixed header
  ['flags of the first byte [MQTT-2.1.3-1]', '11 "MQTT" 05 02 0000 [] "c"', 0x81],
  ['flags of the first byte, 3.1.1 [MQTT-2.2.2-2]', '18 "MQTT" 04 02 0000 "c"', 0x81],
  ['flags of the first byte, 3.1', '12 "MQIsdp" 03 02 0000 "c"', 0x81],
  ['another packet first [MQTT-3.1.0-1]', 'c0', 0x82],
  ['PUBLISH first [MQTT-3.1.0-1]', '30 "t"', 0x82],
  // --- what is missing or too much
  ['nothing but the fixed header', '10', 0x81],
  ['ends in the protocol name', '10 0004 4d51', 0x81],
  ['ends before the level', '10 "MQTT"', 0x81],
  ['ends before the flags', '10 "MQTT" 05', 0x81],
  ['ends in the keep alive', '10 "MQTT" 05 02 00', 0x81],
  ['ends before the properties', '10 "MQTT" 05 02 0000', 0x81],
  ['ends before the client id', '10 "MQTT" 05 02 0000 []', 0x81],
  ['ends in the client id', '10 "MQTT" 04 02 0000 0002 63', 0x81],
  ['will flag, but no will [MQTT-3.1.2-9]', '10 "MQTT" 04 06 0000 "c"', 0x81],
  ['will flag, but no will payload', '10 "MQTT" 04 06 0000 "c" "w"', 0x81],
  ['user name flag, but no user name', '10 "MQTT" 04 82 0000 "c"', 0x81],
  ['password flag, but no password', '10 "MQTT" 04 c2 0000 "c" "u"', 0x81],
  ['a user name that the flags do not announce', '10 "MQTT" 04 02 0000 "c" "u"', 0x81],
  ['a password that the flags do not announce', '10 "MQTT" 04 82 0000 "c" "u" "p"', 0x81],
  ['bytes behind the end, 3.1', '10 "MQIsdp" 03 02 0000 "c" 00', 0x81],
  ['bytes behind the end, 5', '10 "MQTT" 05 02 0000 [] "c" 00', 0x81],
  // --- flags
  ['reserved flag, 3.1', '10 "MQIsdp" 03 03 0000 "c"', 0x81],
  ['reserved flag, 3.1.1 [MQTT-3.1.2-3]', '10 "MQTT" 04 03 0000 "c"', 0x81],
  ['reserved flag, 5 [MQTT-3.1.2-3]', '10 "MQTT" 05 03 0000 [] "c"', 0x81],
  ['will QoS without will, 3.1.1 [MQTT-3.1.2-13]', '10 "MQTT" 04 0a 0000 "c"', 0x81],
  ['will QoS without will, 5 [MQTT-3.1.2-11]', '10 "MQTT" 05 12 0000 [] "c"', 0x81],
  ['will retain without will, 3.1.1 [MQTT-3.1.2-15]', '10 "MQTT" 04 22 0000 "c"', 0x81],
  ['will retain without will, 5 [MQTT-3.1.2-13]', '10 "MQTT" 05 22 0000 [] "c"', 0x81],
  ['will QoS 3, 3.1', '10 "MQIsdp" 03 1e 0000 "c" "w" "x"', 0x81],
  ['will QoS 3, 3.1.1 [MQTT-3.1.2-14]', '10 "MQTT" 04 1e 0000 "c" "w" "x"', 0x81],
  ['will QoS 3, 5 [MQTT-3.1.2-12]', '10 "MQTT" 05 1e 0000 [] "c" [] "w" "x"', 0x81],
  ['password without user name, 3.1', '10 "MQIsdp" 03 42 0000 "c" "p"', 0x81],
  ['password without user name, 3.1.1 [MQTT-3.1.2-22]', '10 "MQTT" 04 42 0000 "c" "p"', 0x81],
  // --- strings
  ['U+0000 in the client id [MQTT-1.5.4-2]', '10 "MQTT" 04 02 0000 0001 00', 0x81],
  ['ill-formed UTF-8 in the client id [MQTT-1.5.4-1]', '10 "MQTT" 05 02 0000 [] 0002 c328', 0x81],
  ['a surrogate in the client id [MQTT-1.5.4-1]', '10 "MQTT" 04 02 0000 0003 eda080', 0x81],
  ['an overlong form in the client id', '10 "MQTT" 04 02 0000 0002 c080', 0x81],
  ['ill-formed UTF-8 in the user name [MQTT-3.1.3-12]', '10 "MQTT" 04 82 0000 "c" 0001 ff', 0x81],
  ['ill-formed UTF-8 in the will topic [MQTT-3.1.3-11]', '10 "MQTT" 04 06 0000 "c" 0001 ff "x"', 0x81],
  ['U+0000 in a user property [MQTT-1.5.7-1]', '10 "MQTT" 05 02 0000 [26 "a" 0001 00] "c"', 0x81],
  ['ill-formed UTF-8 in the authentication method', '10 "MQTT" 05 02 0000 [15 0001 ff] "c"', 0x81],
  // --- will topic
  ['empty will topic [MQTT-4.7.3-1]', '10 "MQTT" 04 06 0000 "c" "" "x"', 0x90],
  ['will topic with # [MQTT-4.7.0-1]', '10 "MQTT" 05 06 0000 [] "c" [] "w/#" "x"', 0x90],
  ['will topic with + [MQTT-4.7.0-1]', '10 "MQTT" 04 06 0000 "c" "w/+" "x"', 0x90],
  // --- properties
  ['unknown property (2.2.2.2)', '10 "MQTT" 05 02 0000 [7f 00] "c"', 0x81],
  ['property 0', '10 "MQTT" 05 02 0000 [00] "c"', 0x81],
  ['a property of PUBLISH (2.2.2.2)', '10 "MQTT" 05 02 0000 [23 0001] "c"', 0x81],
  ['a property of the will among those of CONNECT', '10 "MQTT" 05 02 0000 [18 00000001] "c"', 0x81],
  ['a property of CONNECT among those of the will', '10 "MQTT" 05 06 0000 [] "c" [11 00000001] "w" "x"', 0x81],
  ['a property of SUBSCRIBE in the will', '10 "MQTT" 05 06 0000 [] "c" [0b 01] "w" "x"', 0x81],
  ['a value that runs past the properties', '10 "MQTT" 05 02 0000 [11 0000] "c"', 0x81],
  ['a string that runs past the properties', '10 "MQTT" 05 02 0000 [15 0009 6d] "c"', 0x81],
  ['properties that run past the packet', '10 "MQTT" 05 02 0000 7f', 0x81],
  ['a property length that is not minimal [MQTT-1.5.5-1]', '10 "MQTT" 05 02 0000 8000 "c"', 0x81],
  ['a property length of five bytes', '10 "MQTT" 05 02 0000 8080808001 "c"', 0x81],
  ['session expiry twice (3.1.2.11.2)', '10 "MQTT" 05 02 0000 [11 00000001 11 00000001] "c"', 0x82],
  ['receive maximum twice (3.1.2.11.3)', '10 "MQTT" 05 02 0000 [21 0001 21 0001] "c"', 0x82],
  ['receive maximum 0 (3.1.2.11.3)', '10 "MQTT" 05 02 0000 [21 0000] "c"', 0x82],
  ['maximum packet size twice (3.1.2.11.4)', '10 "MQTT" 05 02 0000 [27 00000009 27 00000009] "c"', 0x82],
  ['maximum packet size 0 (3.1.2.11.4)', '10 "MQTT" 05 02 0000 [27 00000000] "c"', 0x82],
  ['topic alias maximum twice (3.1.2.11.5)', '10 "MQTT" 05 02 0000 [22 0000 22 0000] "c"', 0x82],
  ['request response information 2 (3.1.2.11.6)', '10 "MQTT" 05 02 0000 [19 02] "c"', 0x82],
  ['request response information twice (3.1.2.11.6)', '10 "MQTT" 05 02 0000 [19 00 19 00] "c"', 0x82],
  ['request problem information 2 (3.1.2.11.7)', '10 "MQTT" 05 02 0000 [17 02] "c"', 0x82],
  ['request problem information twice (3.1.2.11.7)', '10 "MQTT" 05 02 0000 [17 00 17 00] "c"', 0x82],
  ['authentication method twice (3.1.2.11.9)', '10 "MQTT" 05 02 0000 [15 "m" 15 "m"] "c"', 0x82],
  ['authentication data twice (3.1.2.11.10)', '10 "MQTT" 05 02 0000 [15 "m" 16 0000 16 0000] "c"', 0x82],
  ['authentication data without a method (3.1.2.11.10)', '10 "MQTT" 05 02 0000 [16 0001 00] "c"', 0x82],
  ['will delay twice (3.1.3.2.2)', '10 "MQTT" 05 06 0000 [] "c" [18 00000001 18 00000001] "w" "x"', 0x82],
  ['payload format 7 (3.1.3.2.3)', '10 "MQTT" 05 06 0000 [] "c" [01 07] "w" "x"', 0x82],
  ['payload format twice (3.1.3.2.3)', '10 "MQTT" 05 06 0000 [] "c" [01 00 01 00] "w" "x"', 0x82],
  ['message expiry twice (3.1.3.2.4)', '10 "MQTT" 05 06 0000 [] "c" [02 00000001 02 00000001] "w" "x"', 0x82],
  ['content type twice (3.1.3.2.5)', '10 "MQTT" 05 06 0000 [] "c" [03 "t" 03 "t"] "w" "x"', 0x82],
  ['response topic twice (3.1.3.2.6)', '10 "MQTT" 05 06 0000 [] "c" [08 "t" 08 "t"] "w" "x"', 0x82],
  ['response topic with a wildcard [MQTT-3.3.2-14]', '10 "MQTT" 05 06 0000 [] "c" [08 "t/+"] "w" "x"', 0x82],
  ['empty response topic [MQTT-4.7.3-1]', '10 "MQTT" 05 06 0000 [] "c" [08 ""] "w" "x"', 0x82],
  ['correlation data twice (3.1.3.2.7)', '10 "MQTT" 05 06 0000 [] "c" [09 0000 09 0000] "w" "x"', 0x82],
];

type Unsupported = [name: string, notation: string, answerVersion: 4 | 5];

// biome-ignore format: one case, one line
const UNSUPPORTED: Unsupported[] = [
  ['MQTT level 0', '10 "MQTT" 00 02 0000 "c"', 4],
  ['MQTT level 3', '10 "MQTT" 03 02 0000 "c"', 4],
  ['MQTT level 6', '10 "MQTT" 06 02 0000 [] "c"', 5],
  ['MQTT level 127', '10 "MQTT" 7f 02 0000 [] "c"', 5],
  ['bridge bit on level 5', '10 "MQTT" 85 02 0000 [] "c"', 5],
  ['bridge bit on level 3', '10 "MQTT" 83 02 0000 "c"', 4],
  ['MQIsdp level 4', '10 "MQIsdp" 04 02 0000 "c"', 4],
  ['MQIsdp level 5', '10 "MQIsdp" 05 02 0000 "c"', 4],
  ['MQIsdp level 2', '10 "MQIsdp" 02 02 0000 "c"', 4],
  ['mqtt in small letters, level 4', '10 "mqtt" 04 02 0000 "c"', 4],
  ['mqtt in small letters, level 5', '10 "mqtt" 05 02 0000 [] "c"', 5],
  ['an empty name', '10 "" 04 02 0000 "c"', 4],
  ['nothing behind the level', '10 "MQTT" 09', 5],
];

describe('decodeConnect', () => {
  it.each(ACCEPTED)('accepts %s', (_name, notation, expected) => {
    expect(decodeConnect(packet(notation))).toMatchObject(expected);
  });

  it.each(REFUSED)('refuses %s', (_name, notation, reasonCode) => {
    const error = errorOf(() => decodeConnect(packet(notation)));
    expect(error).toMatchObject({ reasonCode });
    expect(error instanceof MalformedPacket).toBe(reasonCode === 0x81);
    expect(error.message.length).toBeGreaterThan(10);
  });

  it.each(UNSUPPORTED)('does not speak %s [MQTT-3.1.2-2]', (_name, notation, answerVersion) => {
    const error = errorOf(() => decodeConnect(packet(notation)));
    expect(error).toBeInstanceOf(UnsupportedProtocol);
    expect(error).toMatchObject({ reasonCode: 0x84, answerVersion, code: 'ERR_UNSUPPORTED_PROTOCOL' });
  });

  it.each([
    ['a remaining length that is not minimal [MQTT-1.5.5-1]', '10 8d 00 00 04 4d 51 54 54 04 02 00 00 00 01 63'],
    ['a remaining length of five bytes', '10 80 80 80 80 01'],
    ['a remaining length above the bytes that follow', '10 0e 00 04 4d 51 54 54 04 02 00 00 00 01 63'],
    ['a remaining length below the bytes that follow', '10 0c 00 04 4d 51 54 54 04 02 00 00 00 01 63'],
    ['an empty frame', ''],
    ['one byte', '10'],
  ])('refuses %s', (_name, hex) => {
    expect(errorOf(() => decodeConnect(rawBytes(hex)))).toBeInstanceOf(MalformedPacket);
  });

  it('keeps nothing of the frame', () => {
    const frame = packet('10 "MQTT" 05 c6 0000 [15 "m" 16 0001 07] "c" [26 "k" "v"] "w" "will" "u" "secret"');
    const connect = decodeConnect(frame);
    const before = structuredClone(connect);
    frame.fill(0xee);
    expect(structuredClone(connect)).toEqual(before);
  });

  it('does not lend the level of one connection to another', () => {
    decodeConnect(packet('10 "MQTT" 84 02 0000 "bridge"'));
    expect(decodeConnect(packet('10 "MQTT" 04 02 0000 "c"')).isBridge).toBe(false);
  });
});

describe('peekProtocolVersion', () => {
  it.each([
    ['3.1', '10 "MQIsdp" 03', 3],
    ['3.1 bridge', '10 "MQIsdp" 83', 3],
    ['3.1.1', '10 "MQTT" 04', 4],
    ['3.1.1 bridge', '10 "MQTT" 84', 4],
    ['5', '10 "MQTT" 05', 5],
    ['5 with broken flags and rest', '1f "MQTT" 05 ff ff', 5],
    ['an unsupported level', '10 "MQTT" 06', undefined],
    ['MQIsdp level 4', '10 "MQIsdp" 04', undefined],
    ['a name without a level', '10 "MQTT"', undefined],
    ['half a name', '10 0004 4d', undefined],
    ['no body', '10', undefined],
    ['another packet', 'c0', undefined],
  ] as const)('reads %s', (_name, notation, expected) => {
    expect(peekProtocolVersion(packet(notation))).toBe(expected);
  });

  it('reads behind a length of more bytes', () => {
    expect(peekProtocolVersion(packet(`10 "MQTT" 05 02 0000 [] "${'c'.repeat(200)}"`))).toBe(5);
    expect(peekProtocolVersion(packet(`10 "MQTT" 04 02 0000 "${'c'.repeat(20_000)}"`))).toBe(4);
  });

  it('finds none in an empty frame', () => {
    expect(peekProtocolVersion(Buffer.alloc(0))).toBeUndefined();
  });
});

function errorOf(call: () => unknown): ProtocolViolation {
  try {
    call();
  } catch (error) {
    if (error instanceof ProtocolViolation) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
