/**
 * Encodes what the broker sends, other than PUBLISH and its acknowledgements. mqtt-packet builds the bytes; this module
 * sees that it is only given what it can encode, and that no packet is larger than its client takes [MQTT-3.1.2-24]:
 * the Reason String is left out first. What still does not fit, or has no form in MQTT 3, depends on the packet:
 *
 *   a farewell (DISCONNECT, refusing CONNACK)   is an empty Buffer: the connection closes without it
 *   an answer (any other)                       ProtocolViolation 0x95: the connection cannot go on without it
 *
 * `maximumPacketSize` is the client's, in bytes; `Infinity` if it has set none.
 */
import { generate, type IConnackPacket, type Packet, writeToStream } from 'mqtt-packet';
import { InvalidArgument, InvalidState, ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { AuthFields, ConnackFields, DisconnectFields, SubackFields, UnsubackFields } from './control-packet.js';
import {
  binaryData,
  fourByteInteger,
  packetIdentifier,
  reasonString,
  serverReasonCode,
  twoByteInteger,
  utf8String,
} from './encodable.js';
import { findConnectReturnCode, subscribeReturnCode } from './mqtt3-return-code.js';
import type { ProtocolVersion } from './packet-type.js';
import { AUTH_CODES, CONNACK_CODES, DISCONNECT_CODES, SUBACK_CODES, UNSUBACK_CODES } from './reason-code-table.js';

// The cache is 65,536 two-byte Buffers (22 MB in all), made when the first packet is generated.
writeToStream.cacheNumbers = false;

/** By return code and Session Present: there are twelve in all. Not to be written to. */
const MQTT3_CONNACKS = Array.from({ length: 12 }, (_, at) => Buffer.from([0x20, 0x02, at & 1, at >> 1]));

const MQTT5 = { protocolVersion: 5 };
const NOTHING = Buffer.alloc(0);

/** PINGRESP, the same in every version. Not to be written to. */
export const PINGRESP = Buffer.from([0xd0, 0x00]);

/**
 * @returns empty for a refusal that cannot be told: no return code of MQTT 3 fits [MQTT-3.2.2-6], or the packet is too
 *   large for the client
 * @throws ProtocolViolation 0x95 if a CONNACK that accepts is too large
 * @throws InvalidArgument if a field cannot be encoded
 */
export function encodeConnack(fields: ConnackFields, version: ProtocolVersion, maximumPacketSize: number): Buffer {
  const reasonCode = serverReasonCode('reasonCode', fields.reasonCode, CONNACK_CODES);
  const isRefusal = reasonCode !== ReasonCode.Success;
  const sessionPresent = fields.sessionPresent && !isRefusal; // [MQTT-3.2.2-6]
  if (version !== 5) return encodeMqtt3Connack(sessionPresent, reasonCode, version);
  const last = lastConnack;
  if (last !== null && last.maximumPacketSize === maximumPacketSize && isSame(last.fields, fields)) return last.bytes;
  const bytes = encodeMqtt5Connack(fields, sessionPresent, maximumPacketSize);
  lastConnack = { fields, maximumPacketSize, bytes };
  return bytes;
}

interface Connack {
  readonly fields: ConnackFields;
  readonly maximumPacketSize: number;
  readonly bytes: Buffer;
}

/** What an MQTT 5 client was told last. A fleet is told the same thousands of times. */
let lastConnack: Connack | null = null;

function isSame(one: ConnackFields, other: ConnackFields): boolean {
  for (const name in one) if (one[name as keyof ConnackFields] !== other[name as keyof ConnackFields]) return false;
  for (const name in other) if (one[name as keyof ConnackFields] !== other[name as keyof ConnackFields]) return false;
  return true;
}

function encodeMqtt5Connack(fields: ConnackFields, sessionPresent: boolean, maximumPacketSize: number): Buffer {
  const { reasonCode } = fields;
  const isRefusal = reasonCode !== ReasonCode.Success;
  const packet = { cmd: 'connack', reasonCode, sessionPresent } as const;
  const properties = connackProperties(fields);
  // Response Information is a help to the client (section 3.2.2.3.15); what else is said of an accepted one it must know.
  const necessary = { ...properties, responseInformation: undefined };
  return (
    encodeWithin(maximumPacketSize, { ...packet, properties }) ??
    encodeWithin(maximumPacketSize, { ...packet, properties: necessary }) ??
    (isRefusal ? NOTHING : refuseTooLarge('CONNACK'))
  );
}

/**
 * @throws ProtocolViolation 0x95 if it is too large for the client
 * @throws InvalidArgument if there is no code, or one that is not in the table [MQTT-3.9.3-2]
 */
export function encodeSuback(fields: SubackFields, version: ProtocolVersion, maximumPacketSize: number): Buffer {
  const messageId = packetIdentifier(fields.packetId);
  const codes = expectReasonCodes(fields.reasonCodes, SUBACK_CODES);
  if (version !== 5) return generate({ cmd: 'suback', messageId, granted: codes.map(subscribeReturnCode) });
  const properties = { reasonString: reasonString(fields.reasonString) };
  return (
    encodeWithin(maximumPacketSize, { cmd: 'suback', messageId, granted: codes, properties }) ??
    refuseTooLarge('SUBACK')
  );
}

/**
 * @throws ProtocolViolation 0x95 if it is too large for the client
 * @throws InvalidArgument if there is no code, or one that is not in the table [MQTT-3.11.3-2]
 */
export function encodeUnsuback(fields: UnsubackFields, version: ProtocolVersion, maximumPacketSize: number): Buffer {
  const messageId = packetIdentifier(fields.packetId);
  if (version !== 5) return generate({ cmd: 'unsuback', messageId, granted: [] });
  const granted = expectReasonCodes(fields.reasonCodes, UNSUBACK_CODES);
  const properties = { reasonString: reasonString(fields.reasonString) };
  return (
    encodeWithin(maximumPacketSize, { cmd: 'unsuback', messageId, granted, properties }) ?? refuseTooLarge('UNSUBACK')
  );
}

/**
 * @returns empty if the client takes no packet of that size
 * @throws InvalidState for MQTT 3, where only clients send DISCONNECT
 * @throws InvalidArgument if the reason code is not one of a server's [MQTT-3.14.2-1]
 */
export function encodeDisconnect(
  fields: DisconnectFields,
  version: ProtocolVersion,
  maximumPacketSize: number,
): Buffer {
  if (version !== 5) throw new InvalidState('a server has no DISCONNECT in MQTT 3 (3.14 of 3.1.1)');
  const reasonCode = serverReasonCode('reasonCode', fields.reasonCode, DISCONNECT_CODES);
  const properties = {
    reasonString: reasonString(fields.reasonString),
    serverReference: utf8String('serverReference', fields.serverReference),
  };
  return encodeWithin(maximumPacketSize, { cmd: 'disconnect', reasonCode, properties }) ?? NOTHING;
}

/**
 * @throws InvalidState for MQTT 3, which has no AUTH
 * @throws ProtocolViolation 0x95 if it is too large for the client
 * @throws InvalidArgument if a field cannot be encoded, or the code is not one of a server's [MQTT-3.15.2-1]
 */
export function encodeAuth(fields: AuthFields, version: ProtocolVersion, maximumPacketSize: number): Buffer {
  if (version !== 5) throw new InvalidState('MQTT 3 has no AUTH');
  const reasonCode = serverReasonCode('reasonCode', fields.reasonCode, AUTH_CODES);
  const properties = {
    authenticationMethod: utf8String('authenticationMethod', fields.authenticationMethod),
    authenticationData: binaryData('authenticationData', fields.authenticationData),
    reasonString: reasonString(fields.reasonString),
  };
  return encodeWithin(maximumPacketSize, { cmd: 'auth', reasonCode, properties }) ?? refuseTooLarge('AUTH');
}

function encodeMqtt3Connack(sessionPresent: boolean, reasonCode: number, version: 3 | 4): Buffer {
  const returnCode = findConnectReturnCode(reasonCode);
  if (returnCode === undefined) return NOTHING;
  // In MQTT 3.1 that byte is reserved; Session Present came with 3.1.1.
  const flags = sessionPresent && version === 4 ? 1 : 0;
  return MQTT3_CONNACKS[returnCode * 2 + flags] as Buffer;
}

function connackProperties(fields: ConnackFields): ConnackProperties {
  return {
    sessionExpiryInterval: fourByteInteger('sessionExpirySeconds', fields.sessionExpirySeconds),
    receiveMaximum: twoByteInteger('receiveMaximum', fields.receiveMaximum, 1),
    maximumQoS: fields.maximumQos,
    retainAvailable: fields.retainAvailable,
    maximumPacketSize: fourByteInteger('maximumPacketSize', fields.maximumPacketSize, 1),
    assignedClientIdentifier: utf8String('assignedClientId', fields.assignedClientId),
    topicAliasMaximum: twoByteInteger('topicAliasMaximum', fields.topicAliasMaximum),
    reasonString: reasonString(fields.reasonString),
    wildcardSubscriptionAvailable: fields.wildcardSubscriptionAvailable,
    subscriptionIdentifiersAvailable: fields.subscriptionIdentifierAvailable,
    sharedSubscriptionAvailable: fields.sharedSubscriptionAvailable,
    serverKeepAlive: twoByteInteger('serverKeepAliveSeconds', fields.serverKeepAliveSeconds),
    responseInformation: utf8String('responseInformation', fields.responseInformation),
    serverReference: utf8String('serverReference', fields.serverReference),
    authenticationMethod: utf8String('authenticationMethod', fields.authenticationMethod),
    authenticationData: binaryData('authenticationData', fields.authenticationData),
  };
}

function expectReasonCodes(codes: readonly number[], table: Uint8Array): number[] {
  if (codes.length === 0) throw new InvalidArgument('an acknowledgement needs a reason code for each filter');
  return codes.map((reasonCode) => serverReasonCode('reasonCodes', reasonCode, table));
}

type ConnackProperties = { [Key in keyof NonNullable<IConnackPacket['properties']>]: unknown };

/** What mqtt-packet generates; an absent property may be there as `undefined`, which its types do not say. */
interface GeneratedPacket {
  readonly cmd: Packet['cmd'];
  readonly messageId?: number;
  readonly reasonCode?: number;
  readonly sessionPresent?: boolean;
  readonly granted?: readonly number[];
  readonly properties: { reasonString?: unknown };
}

/**
 * Leaves the Reason String out if the packet is larger than `maximumPacketSize` with it [MQTT-3.2.2-19] [MQTT-3.9.2-1]
 * [MQTT-3.11.2-1] [MQTT-3.14.2-3] [MQTT-3.15.2-2]. mqtt-packet offers to, but forgets the fixed header.
 * @returns undefined if it does not fit without one either
 */
function encodeWithin(maximumPacketSize: number, packet: GeneratedPacket): Buffer | undefined {
  const bytes = generate(packet as Packet, MQTT5);
  if (bytes.length <= maximumPacketSize) return bytes;
  if (packet.properties.reasonString === undefined) return undefined;
  return encodeWithin(maximumPacketSize, { ...packet, properties: { ...packet.properties, reasonString: undefined } });
}

function refuseTooLarge(packetName: string): never {
  throw new ProtocolViolation(
    ReasonCode.PacketTooLarge,
    `the ${packetName} is larger than the client's Maximum Packet Size [MQTT-3.1.2-24]`,
  );
}
