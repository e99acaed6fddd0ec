/**
 * The gate in front of CONNECT (section 3.1): walks it byte by byte, before mqtt-packet sees it, and keeps what
 * mqtt-packet does not tell.
 */
import { MalformedPacket } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import { ControlProperties, expectTopicName } from './control-properties.js';
import { FrameReader } from './frame-reader.js';
import * as property from './property-walker.js';
import { propertySet } from './property-walker.js';
import { type ProtocolLevel, takeProtocolLevel } from './protocol-level.js';

const RESERVED_FLAG = 0x01;
const WILL_FLAG = 0x04;
const WILL_QOS = 0x18;
const WILL_RETAIN = 0x20;
const PASSWORD_FLAG = 0x40;
const USER_NAME_FLAG = 0x80;

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

/** Where the will's properties stand in the frame, without their length. */
export interface WillPropertySection {
  readonly start: number;
  readonly end: number;
  readonly properties: ControlProperties;
}

export interface ConnectNotes {
  readonly level: ProtocolLevel;
  /** `undefined` for MQTT 3. */
  readonly properties: ControlProperties | undefined;
  /** `undefined` for MQTT 3, or without a will. */
  readonly willProperties: WillPropertySection | undefined;
  /** The connect flags, without those whose fields MQTT 3.1 allows to be missing, and are. */
  readonly flags: number;
  /** Where they stand in the frame. */
  readonly flagsAt: number;
}

/**
 * @param frame a CONNECT whose first byte has been checked
 * @throws UnsupportedProtocol, MalformedPacket or ProtocolViolation by the clause that is broken
 */
export function validateConnect(frame: Buffer): ConnectNotes {
  const reader = new FrameReader(frame);
  const level = takeProtocolLevel(reader);
  const flagsAt = reader.offset;
  let flags = takeConnectFlags(reader, level);
  reader.takeTwoBytes('the keep alive');
  const properties = level.version === 5 ? takeConnectProperties(reader) : undefined;
  // The order of the payload is fixed [MQTT-3.1.3-1].
  reader.takeString('the client identifier'); // [MQTT-3.1.3-4]
  const willProperties = (flags & WILL_FLAG) === 0 ? undefined : takeWill(reader, level);
  // MQTT 3.1 (section 3.1): the Remaining Length takes precedence over these flags, and the fields may be missing.
  const mayEnd = level.version === 3;
  if (mayEnd && reader.isAtEnd) flags &= ~USER_NAME_FLAG;
  if ((flags & USER_NAME_FLAG) !== 0) reader.takeString('the user name'); // [MQTT-3.1.3-12]
  if (mayEnd && reader.isAtEnd) flags &= ~PASSWORD_FLAG;
  if ((flags & PASSWORD_FLAG) !== 0) reader.takeBinary('the password');
  reader.expectEnd('CONNECT'); // [MQTT-3.1.4-1]
  return { level, properties, willProperties, flags, flagsAt };
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

function takeConnectProperties(reader: FrameReader): ControlProperties {
  const properties = new ControlProperties();
  reader.takeProperties(CONNECT_PROPERTIES, properties);
  properties.refuseAuthenticationDataAlone();
  return properties;
}

function takeWill(reader: FrameReader, level: ProtocolLevel): WillPropertySection | undefined {
  const section = level.version === 5 ? takeWillProperties(reader) : undefined;
  const topicStart = reader.takeString('the will topic'); // [MQTT-3.1.3-11]
  expectTopicName(reader.bytes, topicStart, reader.offset, 'the will topic', ReasonCode.TopicNameInvalid);
  reader.takeBinary('the will payload');
  return section;
}

function takeWillProperties(reader: FrameReader): WillPropertySection {
  const properties = new ControlProperties();
  const start = reader.takeProperties(WILL_PROPERTIES, properties);
  return { start, end: reader.offset, properties };
}
