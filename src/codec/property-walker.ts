/**
 * Walks the property section of an MQTT 5 packet (section 2.2.2) without building anything: checks lengths, strings,
 * which property may stand in which packet, and repeats. What a caller wants to know it notes in its visitor.
 * Serves the PUBLISH fast path and the validator of all other packets.
 */
import { MalformedPacket, ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import { checkUtf8 } from './utf8.js';

export const PayloadFormatIndicator = 0x01;
export const MessageExpiryInterval = 0x02;
export const ContentType = 0x03;
export const ResponseTopic = 0x08;
export const CorrelationData = 0x09;
export const SubscriptionIdentifier = 0x0b;
export const SessionExpiryInterval = 0x11;
export const AssignedClientIdentifier = 0x12;
export const ServerKeepAlive = 0x13;
export const AuthenticationMethod = 0x15;
export const AuthenticationData = 0x16;
export const RequestProblemInformation = 0x17;
export const WillDelayInterval = 0x18;
export const RequestResponseInformation = 0x19;
export const ResponseInformation = 0x1a;
export const ServerReference = 0x1c;
export const ReasonString = 0x1f;
export const ReceiveMaximum = 0x21;
export const TopicAliasMaximum = 0x22;
export const TopicAlias = 0x23;
export const MaximumQos = 0x24;
export const RetainAvailable = 0x25;
export const UserProperty = 0x26;
export const MaximumPacketSize = 0x27;
export const WildcardSubscriptionAvailable = 0x28;
export const SubscriptionIdentifierAvailable = 0x29;
export const SharedSubscriptionAvailable = 0x2a;

const BYTE = 1;
const TWO_BYTES = 2;
const FOUR_BYTES = 3;
const VARIABLE = 4;
const STRING = 5;
const BINARY = 6;
const STRING_PAIR = 7;

/** Value type by property identifier; 0 is no property. */
const VALUE_TYPE = new Uint8Array(0x2b);
for (const id of [
  PayloadFormatIndicator,
  RequestProblemInformation,
  RequestResponseInformation,
  MaximumQos,
  RetainAvailable,
  WildcardSubscriptionAvailable,
  SubscriptionIdentifierAvailable,
  SharedSubscriptionAvailable,
])
  VALUE_TYPE[id] = BYTE;
for (const id of [ServerKeepAlive, ReceiveMaximum, TopicAliasMaximum, TopicAlias]) VALUE_TYPE[id] = TWO_BYTES;
for (const id of [MessageExpiryInterval, SessionExpiryInterval, WillDelayInterval, MaximumPacketSize])
  VALUE_TYPE[id] = FOUR_BYTES;
VALUE_TYPE[SubscriptionIdentifier] = VARIABLE;
for (const id of [
  ContentType,
  ResponseTopic,
  AssignedClientIdentifier,
  AuthenticationMethod,
  ResponseInformation,
  ServerReference,
  ReasonString,
])
  VALUE_TYPE[id] = STRING;
for (const id of [CorrelationData, AuthenticationData]) VALUE_TYPE[id] = BINARY;
VALUE_TYPE[UserProperty] = STRING_PAIR;

/** Which properties a packet (or the will section of CONNECT) may carry: a table by property identifier. */
export type PropertySet = Uint8Array;

export function propertySet(...ids: number[]): PropertySet {
  const set = new Uint8Array(0x2b);
  for (const id of ids) set[id] = 1;
  return set;
}

/** Told of each property. `valueStart` and `valueEnd` include the length prefix of strings and binary data. */
export interface PropertyVisitor {
  /** @param value the number, for byte, two-byte, four-byte and variable byte integers; else 0 */
  onProperty(id: number, value: number, bytes: Buffer, valueStart: number, valueEnd: number): void;
}

/** Where the walker stopped reading a variable byte integer; read straight after {@link readVariableByteInteger}. */
export let variableByteIntegerEnd = 0;

/**
 * Reads a variable byte integer (section 1.5.5).
 * @throws MalformedPacket if it runs past `end`, is longer than four bytes or not in its shortest form [MQTT-1.5.5-1]
 */
export function readVariableByteInteger(bytes: Buffer, offset: number, end: number): number {
  let value = 0;
  let shift = 0;
  for (let i = offset; i < end; i++) {
    const byte = bytes[i] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (byte === 0 && shift > 0) throw new MalformedPacket('a length is not in its shortest form [MQTT-1.5.5-1]');
      variableByteIntegerEnd = i + 1;
      return value;
    }
    shift += 7;
    if (shift > 21) throw new MalformedPacket('a variable byte integer is longer than four bytes [MQTT-1.5.5]');
  }
  throw new MalformedPacket('a variable byte integer runs past the end of the packet');
}

/**
 * Walks `bytes[start, end)`, which must be exactly the properties (without their length).
 * @throws MalformedPacket or ProtocolViolation by the clause that is broken
 */
export function walkProperties(
  bytes: Buffer,
  start: number,
  end: number,
  allowed: PropertySet,
  visitor: PropertyVisitor,
): void {
  // Identifiers are below 0x2b: two words are enough to see repeats.
  let seenLow = 0;
  let seenHigh = 0;
  let offset = start;
  while (offset < end) {
    const id = bytes[offset] as number;
    if (id >= allowed.length || allowed[id] === 0) refuseProperty(id);
    if (id !== UserProperty && id !== SubscriptionIdentifier) {
      const bit = 1 << (id & 31);
      if (id < 32 ? (seenLow & bit) !== 0 : (seenHigh & bit) !== 0) {
        throw new ProtocolViolation(ReasonCode.ProtocolError, `property 0x${id.toString(16)} stands twice`);
      }
      if (id < 32) seenLow |= bit;
      else seenHigh |= bit;
    }
    offset++;
    const valueEnd = walkValue(id, bytes, offset, end);
    visitor.onProperty(id, walkedNumber, bytes, offset, valueEnd);
    offset = valueEnd;
  }
}

/** The number that {@link walkValue} has just read, or 0. */
let walkedNumber = 0;

function walkValue(id: number, bytes: Buffer, offset: number, end: number): number {
  walkedNumber = 0;
  switch (VALUE_TYPE[id]) {
    case BYTE:
      if (offset + 1 > end) truncated(id);
      walkedNumber = bytes[offset] as number;
      return offset + 1;
    case TWO_BYTES:
      if (offset + 2 > end) truncated(id);
      walkedNumber = ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
      return offset + 2;
    case FOUR_BYTES:
      if (offset + 4 > end) truncated(id);
      walkedNumber =
        (((bytes[offset] as number) << 24) |
          ((bytes[offset + 1] as number) << 16) |
          ((bytes[offset + 2] as number) << 8) |
          (bytes[offset + 3] as number)) >>>
        0;
      return offset + 4;
    case VARIABLE:
      walkedNumber = readVariableByteInteger(bytes, offset, end);
      return variableByteIntegerEnd;
    case STRING:
      return walkString(id, bytes, offset, end);
    case BINARY:
      return lengthPrefixedEnd(id, bytes, offset, end);
    default:
      return walkString(id, bytes, walkString(id, bytes, offset, end), end);
  }
}

function walkString(id: number, bytes: Buffer, offset: number, end: number): number {
  const stringEnd = lengthPrefixedEnd(id, bytes, offset, end);
  checkUtf8(bytes, offset + 2, stringEnd);
  return stringEnd;
}

function lengthPrefixedEnd(id: number, bytes: Buffer, offset: number, end: number): number {
  if (offset + 2 > end) truncated(id);
  const valueEnd = offset + 2 + (((bytes[offset] as number) << 8) | (bytes[offset + 1] as number));
  if (valueEnd > end) truncated(id);
  return valueEnd;
}

function truncated(id: number): never {
  throw new MalformedPacket(`property 0x${id.toString(16)} runs past the end of the properties`);
}

// Section 2.2.2.2: an identifier that is not valid for its packet type makes the packet malformed.
function refuseProperty(id: number): never {
  const known = id < VALUE_TYPE.length && VALUE_TYPE[id] !== 0;
  throw new MalformedPacket(
    known ? `property 0x${id.toString(16)} does not belong in this packet` : `unknown property 0x${id.toString(16)}`,
  );
}
