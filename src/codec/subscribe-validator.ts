/** The gate in front of SUBSCRIBE (section 3.8) and UNSUBSCRIBE (section 3.10). */
import { MalformedPacket, ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import { ControlProperties } from './control-properties.js';
import { FrameReader } from './frame-reader.js';
import type { ProtocolVersion } from './packet-type.js';
import * as property from './property-walker.js';
import { propertySet } from './property-walker.js';

const SUBSCRIBE_PROPERTIES = propertySet(property.SubscriptionIdentifier, property.UserProperty);
const UNSUBSCRIBE_PROPERTIES = propertySet(property.UserProperty);

const QOS = 0x03;
const NO_LOCAL = 0x04;
const RETAIN_HANDLING = 0x30;
const RESERVED = 0xc0;
/** MQTT 3 knows the QoS only. */
const RESERVED_IN_MQTT3 = 0xfc;

const SHARE_PREFIX = Buffer.from('$share/');

/**
 * @param maximumFilters our own limit on the filters of one packet
 * @returns the properties, `undefined` for MQTT 3
 * @throws MalformedPacket or ProtocolViolation by the clause that is broken; 0x97 above `maximumFilters`
 */
export function validateSubscribe(
  frame: Buffer,
  version: ProtocolVersion,
  maximumFilters: number,
): ControlProperties | undefined {
  const reader = new FrameReader(frame);
  reader.takePacketId();
  const properties = takeProperties(reader, version, SUBSCRIBE_PROPERTIES);
  if (reader.isAtEnd) refuseNoFilter('SUBSCRIBE without a topic filter [MQTT-3.8.3-2]', version);
  for (let count = 1; !reader.isAtEnd; count++) {
    if (count > maximumFilters) refuseTooManyFilters(maximumFilters);
    const filterStart = reader.takeString('a topic filter'); // [MQTT-3.8.3-1]
    const filterEnd = reader.offset;
    const options = reader.takeByte('the subscription options');
    if (version === 5) {
      checkSubscriptionOptions(options);
      // [MQTT-3.8.3-4]
      if ((options & NO_LOCAL) !== 0 && isShared(frame, filterStart, filterEnd)) {
        protocolError('No Local on a shared subscription [MQTT-3.8.3-4]');
      }
    } else checkRequestedQos(options);
  }
  return properties;
}

/** @see validateSubscribe */
export function validateUnsubscribe(
  frame: Buffer,
  version: ProtocolVersion,
  maximumFilters: number,
): ControlProperties | undefined {
  const reader = new FrameReader(frame);
  reader.takePacketId();
  const properties = takeProperties(reader, version, UNSUBSCRIBE_PROPERTIES);
  if (reader.isAtEnd) refuseNoFilter('UNSUBSCRIBE without a topic filter [MQTT-3.10.3-2]', version);
  for (let count = 1; !reader.isAtEnd; count++) {
    if (count > maximumFilters) refuseTooManyFilters(maximumFilters);
    reader.takeString('a topic filter'); // [MQTT-3.10.3-1]
  }
  return properties;
}

function takeProperties(
  reader: FrameReader,
  version: ProtocolVersion,
  allowed: property.PropertySet,
): ControlProperties | undefined {
  if (version !== 5) return undefined;
  const properties = new ControlProperties();
  reader.takeProperties(allowed, properties);
  return properties;
}

function checkSubscriptionOptions(options: number): void {
  if ((options & RESERVED) !== 0) {
    throw new MalformedPacket('reserved bits of the subscription options are set [MQTT-3.8.3-5]');
  }
  if ((options & QOS) === QOS) protocolError('a subscription asks for QoS 3 (3.8.3.1)');
  if ((options & RETAIN_HANDLING) === RETAIN_HANDLING) protocolError('Retain Handling is 3 (3.8.3.1)');
}

// 3.1.1 makes both one rule, [MQTT-3-8.3-4], and calls the packet malformed.
function checkRequestedQos(options: number): void {
  if ((options & RESERVED_IN_MQTT3) !== 0 || options === QOS) {
    throw new MalformedPacket('the requested QoS is not 0, 1 or 2 [MQTT-3-8.3-4 of 3.1.1]');
  }
}

function isShared(bytes: Buffer, start: number, end: number): boolean {
  const prefixEnd = start + SHARE_PREFIX.length;
  return prefixEnd <= end && SHARE_PREFIX.compare(bytes, start, prefixEnd) === 0;
}

// Sections 3.8.3 and 3.10.3 of MQTT 5 say Protocol Error; 3.1.1 says protocol violation and knows no codes.
function refuseNoFilter(message: string, version: ProtocolVersion): never {
  if (version === 5) protocolError(message);
  throw new MalformedPacket(message);
}

// The packet is legal, only more than we take: an imposed limit was exceeded (section 3.14.2.1, 0x97).
function refuseTooManyFilters(maximumFilters: number): never {
  throw new ProtocolViolation(
    ReasonCode.QuotaExceeded,
    `more than ${maximumFilters} topic filters in one packet, the limit of this broker`,
  );
}

function protocolError(message: string): never {
  throw new ProtocolViolation(ReasonCode.ProtocolError, message);
}
