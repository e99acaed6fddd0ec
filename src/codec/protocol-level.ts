/**
 * Which MQTT a CONNECT speaks: protocol name and level, the first two fields of its variable header.
 *
 *   name      level         version
 *   MQIsdp    3  (0x83)     3
 *   MQTT      4  (0x84)     4        the high bit is mosquitto's sign of a bridge
 *   MQTT      5             5
 */
import { UnsupportedProtocol } from '../core/errors.js';
import type { FrameReader } from './frame-reader.js';
import { CONNECT, type ProtocolVersion } from './packet-type.js';

const BRIDGE_BIT = 0x80;

export interface ProtocolLevel {
  readonly version: ProtocolVersion;
  readonly isBridge: boolean;
}

/**
 * @throws MalformedPacket if the packet is too short for both fields
 * @throws UnsupportedProtocol for every other pair [MQTT-3.1.2-1] [MQTT-3.1.2-2]. Whoever names level 5 or a later one
 *   with a name other than MQIsdp, which was gone by then, is answered in the form of MQTT 5, everybody else in that
 *   of 3.1.1.
 */
export function takeProtocolLevel(reader: FrameReader): ProtocolLevel {
  const nameStart = reader.takeString('the protocol name');
  const name = reader.bytes.latin1Slice(nameStart, reader.offset);
  const level = reader.takeByte('the protocol level');
  const version = supportedVersion(name, level);
  if (version === undefined) {
    const answerVersion = name !== 'MQIsdp' && (level & ~BRIDGE_BIT) >= 5 ? 5 : 4;
    throw new UnsupportedProtocol(
      answerVersion,
      `protocol ${JSON.stringify(name.slice(0, 16))} level ${level} is not supported [MQTT-3.1.2-2]`,
    );
  }
  return { version, isBridge: level >= BRIDGE_BIT };
}

/**
 * The version of a CONNECT that may be broken further on, so that its sender can be answered in its own form: a
 * malformed one is told 0x81 in MQTT 5, and 3.x is just closed [MQTT-3.1.4-1]. Never throws.
 * @returns undefined if this is no CONNECT, ends before the level, or is of no supported version
 */
export function peekProtocolVersion(frame: Buffer): ProtocolVersion | undefined {
  if (frame.length === 0 || (frame[0] as number) >> 4 !== CONNECT) return undefined;
  let nameStart = 1;
  while (nameStart < 5 && (frame[nameStart] ?? 0) >= 0x80) nameStart++;
  nameStart += 3;
  const nameEnd = nameStart + (((frame[nameStart - 2] ?? 0) << 8) | (frame[nameStart - 1] ?? 0));
  const level = frame[nameEnd];
  if (level === undefined) return undefined;
  return supportedVersion(frame.latin1Slice(nameStart, nameEnd), level);
}

function supportedVersion(name: string, level: number): ProtocolVersion | undefined {
  if (name === 'MQTT') {
    if (level === 5) return 5;
    if ((level & ~BRIDGE_BIT) === 4) return 4;
  } else if (name === 'MQIsdp' && (level & ~BRIDGE_BIT) === 3) return 3;
  return undefined;
}
