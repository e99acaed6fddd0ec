/**
 * Decodes CONNECT (section 3.1) in one walk over its bytes, which refuses whatever a clause refuses. A fleet that comes back sends
 * thousands of them at once, and mqtt-packet's way through one costs as much as all else that a connection is made of. Nothing
 * that is returned keeps the frame alive.
 */
import { MalformedPacket } from '../core/errors.js';
import type { Qos } from '../core/message.js';
import { ReasonCode } from '../core/reason-code.js';
import type { ConnectPacket, WillFields } from './control-packet.js';
import { ControlProperties, expectTopicName, NO_USER_PROPERTIES } from './control-properties.js';
import { expectConnect } from './control-validator.js';
import { FrameReader } from './frame-reader.js';
import * as property from './property-walker.js';
import { propertySet } from './property-walker.js';
import { type ProtocolLevel, takeProtocolLevel } from './protocol-level.js';
import { readUtf8 } from './utf8.js';

const RESERVED_FLAG = 0x01;
const CLEAN_START = 0x02;
const WILL_FLAG = 0x04;
const WILL_QOS = 0x18;
const WILL_QOS_SHIFT = 3;
const WILL_RETAIN = 0x20;
const PASSWORD_FLAG = 0x40;
const USER_NAME_FLAG = 0x80;

const EMPTY = Buffer.alloc(0);
const WILL_DELAY_BYTES = 5;

const CONNECT_PROPERTIES = propertySet(
  property.SessionExpiryInterval,
  property.ReceiveMaximum,
  property.MaximumPacketSize,
  property.TopicAliasMaximum,
  property.RequestResponseInformation,
  property.RequestProblemInformation,
  property.UserProperty,
  property.AuthenticationMethod,
  property.AuthenticationData,
);

const WILL_PROPERTIES = propertySet(
  property.WillDelayInterval,
  property.PayloadFormatIndicator,
  property.MessageExpiryInterval,
  property.ContentType,
  property.ResponseTopic,
  property.CorrelationData,
  property.UserProperty,
);

/** What CONNECT says in properties, beside user properties. */
class ConnectProperties extends ControlProperties {
  sessionExpirySeconds: number | undefined;
  receiveMaximum: number | undefined;
  maximumPacketSize: number | undefined;
  topicAliasMaximum: number | undefined;
  requestResponseInformation = false;
  requestProblemInformation = true;
  authenticationMethod: string | undefined;
  authenticationData: Buffer | undefined;

  override onProperty(id: number, value: number, bytes: Buffer, valueStart: number, valueEnd: number): void {
    super.onProperty(id, value, bytes, valueStart, valueEnd);
    switch (id) {
      case property.SessionExpiryInterval:
        this.sessionExpirySeconds = value;
        break;
      case property.ReceiveMaximum:
        this.receiveMaximum = value;
        break;
      case property.MaximumPacketSize:
        this.maximumPacketSize = value;
        break;
      case property.TopicAliasMaximum:
        this.topicAliasMaximum = value;
        break;
      case property.RequestResponseInformation:
        this.requestResponseInformation = value === 1;
        break;
      case property.RequestProblemInformation:
        this.requestProblemInformation = value === 1;
        break;
      case property.AuthenticationMethod:
        this.authenticationMethod = readUtf8(bytes, valueStart + 2, valueEnd);
        break;
      case property.AuthenticationData:
        this.authenticationData = ownCopy(bytes, valueStart + 2, valueEnd);
        break;
      default:
    }
  }
}

/**
 * Decodes the first packet of a connection.
 * @param frame one whole packet in one piece, fixed header included
 * @throws UnsupportedProtocol, MalformedPacket or ProtocolViolation with the clause that is broken;
 *   `peekProtocolVersion` tells in which form, if any, to answer
 */
export function decodeConnect(frame: Buffer): ConnectPacket {
  expectConnect(frame);
  const reader = new FrameReader(frame);
  const level = takeProtocolLevel(reader);
  const flags = takeConnectFlags(reader, level);
  const keepAliveSeconds = reader.takeTwoBytes('the keep alive');
  const properties = level.version === 5 ? takeConnectProperties(reader) : undefined;
  // The order of the payload is fixed [MQTT-3.1.3-1].
  const clientId = takeText(reader, 'the client identifier'); // [MQTT-3.1.3-4]
  const will = (flags & WILL_FLAG) === 0 ? undefined : takeWill(reader, flags, level);
  // MQTT 3.1 (section 3.1): the Remaining Length takes precedence over these flags, and the fields may be missing.
  const mayEnd = level.version === 3;
  const hasUserName = (flags & USER_NAME_FLAG) !== 0 && !(mayEnd && reader.isAtEnd);
  const username = hasUserName ? takeText(reader, 'the user name') : undefined; // [MQTT-3.1.3-12]
  const hasPassword = (flags & PASSWORD_FLAG) !== 0 && !(mayEnd && reader.isAtEnd);
  const password = hasPassword ? takeBytes(reader, 'the password') : undefined;
  reader.expectEnd('CONNECT'); // [MQTT-3.1.4-1]
  return {
    type: 'connect',
    protocolVersion: level.version,
    isBridge: level.isBridge,
    clientId,
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAliveSeconds,
    username,
    password,
    will,
    sessionExpirySeconds: properties?.sessionExpirySeconds,
    receiveMaximum: properties?.receiveMaximum,
    maximumPacketSize: properties?.maximumPacketSize,
    topicAliasMaximum: properties?.topicAliasMaximum,
    requestResponseInformation: properties?.requestResponseInformation ?? false,
    requestProblemInformation: properties?.requestProblemInformation ?? true,
    userProperties: properties?.userProperties ?? NO_USER_PROPERTIES,
    authenticationMethod: properties?.authenticationMethod,
    authenticationData: properties?.authenticationData,
  };
}

function takeConnectFlags(reader: FrameReader, level: ProtocolLevel): number {
  const flags = reader.takeByte('the connect flags');
  if ((flags & RESERVED_FLAG) !== 0) throw new MalformedPacket('the reserved connect flag is set [MQTT-3.1.2-3]');
  if ((flags & WILL_FLAG) === 0) {
    if ((flags & WILL_QOS) !== 0) throw new MalformedPacket('a Will QoS without a will [MQTT-3.1.2-11]');
    if ((flags & WILL_RETAIN) !== 0) throw new MalformedPacket('Will Retain without a will [MQTT-3.1.2-13]');
  }
  if ((flags & WILL_QOS) === WILL_QOS) throw new MalformedPacket('Will QoS is 3 [MQTT-3.1.2-12]');
  // MQTT 5 dropped this rule on purpose (section 3.1.2.9).
  if (level.version !== 5 && (flags & PASSWORD_FLAG) !== 0 && (flags & USER_NAME_FLAG) === 0) {
    throw new MalformedPacket('a password without a user name [MQTT-3.1.2-22 of 3.1.1]');
  }
  return flags;
}

function takeConnectProperties(reader: FrameReader): ConnectProperties {
  const properties = new ConnectProperties();
  reader.takeProperties(CONNECT_PROPERTIES, properties);
  properties.refuseAuthenticationDataAlone();
  return properties;
}

function takeWill(reader: FrameReader, flags: number, level: ProtocolLevel): WillFields {
  const properties = new ControlProperties();
  const publishProperties = level.version === 5 ? takeWillProperties(reader, properties) : EMPTY;
  const topicStart = reader.takeString('the will topic'); // [MQTT-3.1.3-11]
  expectTopicName(reader.bytes, topicStart, reader.offset, 'the will topic', ReasonCode.TopicNameInvalid);
  const topic = reader.bytes.utf8Slice(topicStart, reader.offset);
  return {
    topic,
    payload: takeBytes(reader, 'the will payload'),
    qos: ((flags & WILL_QOS) >> WILL_QOS_SHIFT) as Qos,
    retain: (flags & WILL_RETAIN) !== 0,
    delaySeconds: properties.willDelaySeconds,
    publishProperties,
  };
}

/** @returns those that go into the will's PUBLISH: all but the Will Delay Interval, as they are */
function takeWillProperties(reader: FrameReader, properties: ControlProperties): Buffer {
  const start = reader.takeProperties(WILL_PROPERTIES, properties);
  const { bytes, offset: end } = reader;
  const delayStart = properties.willDelayStart;
  if (delayStart === -1) return ownCopy(bytes, start, end);
  return Buffer.concat([bytes.subarray(start, delayStart), bytes.subarray(delayStart + WILL_DELAY_BYTES, end)]);
}

function takeText(reader: FrameReader, what: string): string {
  const start = reader.takeBinary(what);
  return readUtf8(reader.bytes, start, reader.offset);
}

function takeBytes(reader: FrameReader, what: string): Buffer {
  const start = reader.takeBinary(what);
  return ownCopy(reader.bytes, start, reader.offset);
}

// A view would keep the whole received chunk alive.
function ownCopy(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}
