/** The gate in front of DISCONNECT (section 3.14), PINGREQ (section 3.12) and AUTH (section 3.15). */
import { MalformedPacket, ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import { ControlProperties } from './control-properties.js';
import { FrameReader } from './frame-reader.js';
import type { ProtocolVersion } from './packet-type.js';
import * as property from './property-walker.js';
import { propertySet } from './property-walker.js';
import { AUTH_CODES, DISCONNECT_CODES, FROM_CLIENT } from './reason-code-table.js';

const DISCONNECT_PROPERTIES = propertySet(
  property.SessionExpiryInterval,
  property.ReasonString,
  property.UserProperty,
  property.ServerReference,
);

const AUTH_PROPERTIES = propertySet(
  property.AuthenticationMethod,
  property.AuthenticationData,
  property.ReasonString,
  property.UserProperty,
);

/** Sees that a server's property is not sent by a client: it belongs in DISCONNECT, so it is not malformed. */
class DisconnectProperties extends ControlProperties {
  override onProperty(id: number, value: number, bytes: Buffer, valueStart: number, valueEnd: number): void {
    if (id === property.ServerReference) protocolError('a Server Reference from a client (3.14.2.2.5)');
    super.onProperty(id, value, bytes, valueStart, valueEnd);
  }
}

/** @throws MalformedPacket if PINGREQ has a body (section 3.12.2) */
export function validatePingreq(frame: Buffer): void {
  new FrameReader(frame).expectEnd('PINGREQ');
}

/**
 * @returns the properties; `undefined` for MQTT 3, or if the packet ends before them
 * @throws MalformedPacket or ProtocolViolation by the clause that is broken
 */
export function validateDisconnect(frame: Buffer, version: ProtocolVersion): ControlProperties | undefined {
  const reader = new FrameReader(frame);
  if (version !== 5) {
    reader.expectEnd('DISCONNECT');
    return undefined;
  }
  // Nothing at all means 0x00, and a reason code may stand alone (sections 3.14.2.1 and 3.14.2.2.1).
  if (reader.isAtEnd) return undefined;
  checkReasonCode(reader.takeByte('the reason code'), DISCONNECT_CODES, 'DISCONNECT', '[MQTT-3.14.2-1]');
  if (reader.isAtEnd) return undefined;
  const properties = new DisconnectProperties();
  reader.takeProperties(DISCONNECT_PROPERTIES, properties);
  reader.expectEnd('DISCONNECT');
  return properties;
}

/**
 * @throws MalformedPacket or ProtocolViolation by the clause that is broken. MQTT 3 has no AUTH: its type is reserved.
 */
export function validateAuth(frame: Buffer, version: ProtocolVersion): ControlProperties {
  if (version !== 5) throw new MalformedPacket('packet type 15 is reserved in MQTT 3 (2.2.1)');
  const reader = new FrameReader(frame);
  const properties = new ControlProperties();
  // Nothing at all means 0x00 (section 3.15.2.1), which only a server says; the method is missing too.
  const reasonCode = reader.isAtEnd ? ReasonCode.Success : reader.takeByte('the reason code');
  checkReasonCode(reasonCode, AUTH_CODES, 'AUTH', '[MQTT-3.15.2-1]');
  reader.takeProperties(AUTH_PROPERTIES, properties);
  reader.expectEnd('AUTH');
  properties.expectAuthenticationMethod();
  return properties;
}

// A code that the table does not have cannot be parsed; one that only servers send is understood, but not allowed.
function checkReasonCode(reasonCode: number, table: Uint8Array, packetName: string, clause: string): void {
  const directions = table[reasonCode] as number;
  const shown = `0x${reasonCode.toString(16).padStart(2, '0')}`;
  if (directions === 0) throw new MalformedPacket(`${packetName} has the unknown reason code ${shown} ${clause}`);
  if ((directions & FROM_CLIENT) === 0) protocolError(`${packetName} with ${shown} is not for clients ${clause}`);
}

function protocolError(message: string): never {
  throw new ProtocolViolation(ReasonCode.ProtocolError, message);
}
