/**
 * The first byte of every packet that is not on the fast path: is it a type that a client may send, and are its flags
 * those of the table in section 2.1.3? What stands behind it is checked by the validator of its type.
 */
import { InvalidArgument, MalformedPacket, ProtocolViolation } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import type { ProtocolVersion } from './packet-type.js';
import * as type from './packet-type.js';

const DUP = 0x08;

/**
 * The first packet of a connection.
 * @throws ProtocolViolation if it is not CONNECT [MQTT-3.1.0-1], MalformedPacket for wrong flags
 */
export function expectConnect(frame: Buffer): void {
  if (firstByte(frame) >> 4 !== type.CONNECT) {
    throw new ProtocolViolation(ReasonCode.ProtocolError, 'the first packet is not CONNECT [MQTT-3.1.0-1]');
  }
  expectFlags(frame, 0, 'CONNECT');
}

/**
 * @returns SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT or AUTH
 * @throws MalformedPacket for wrong flags or a reserved type, ProtocolViolation for a packet that is not a client's to
 *   send now, InvalidArgument for PUBLISH and its acknowledgements, which have a decoder of their own
 */
export function expectControlPacket(frame: Buffer, version: ProtocolVersion): number {
  const packetType = firstByte(frame) >> 4;
  switch (packetType) {
    case type.SUBSCRIBE:
      expectFlags(frame, 2, 'SUBSCRIBE [MQTT-3.8.1-1]', version);
      return packetType;
    case type.UNSUBSCRIBE:
      expectFlags(frame, 2, 'UNSUBSCRIBE [MQTT-3.10.1-1]', version);
      return packetType;
    case type.PINGREQ:
      expectFlags(frame, 0, 'PINGREQ [MQTT-2.1.3-1]');
      return packetType;
    case type.DISCONNECT:
      expectFlags(frame, 0, 'DISCONNECT [MQTT-3.14.1-1]');
      return packetType;
    case type.AUTH:
      expectFlags(frame, 0, 'AUTH [MQTT-3.15.1-1]');
      return packetType;
    case type.CONNECT:
      throw new ProtocolViolation(ReasonCode.ProtocolError, 'a second CONNECT [MQTT-3.1.0-2]');
    case type.CONNACK:
    case type.SUBACK:
    case type.UNSUBACK:
    case type.PINGRESP:
      throw new ProtocolViolation(ReasonCode.ProtocolError, `packet type ${packetType} is only for servers (2.1.2)`);
    case 0:
      throw new MalformedPacket('packet type 0 is reserved (2.1.2)');
    default:
      throw new InvalidArgument(`packet type ${packetType} is not decoded here`);
  }
}

/** @param version if given, MQTT 3.1 may set DUP: it repeated these packets as it repeats a PUBLISH */
function expectFlags(frame: Buffer, expected: number, packet: string, version?: ProtocolVersion): void {
  let flags = firstByte(frame) & 0x0f;
  if (version === 3) flags &= ~DUP;
  if (flags !== expected) throw new MalformedPacket(`wrong flags in the first byte of ${packet}`);
}

function firstByte(frame: Buffer): number {
  const byte = frame[0];
  if (byte === undefined) throw new MalformedPacket('an empty frame');
  return byte;
}
