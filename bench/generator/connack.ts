/** Reads the two things that the generator needs from a CONNACK: whether it may go on, and how many it may have open. */
import { BenchFailure } from '../bench-failure.js';
import type { Protocol } from './frames.js';

/** What an absent Receive Maximum means [MQTT5 3.2.2.3.3], and the number of packet ids in MQTT 3.1.1. */
const DEFAULT_RECEIVE_MAXIMUM = 65_535;
const RECEIVE_MAXIMUM = 0x21;
const USER_PROPERTY = 0x26;

/** The broker has answered a CONNECT, and the answer was no. */
export class ConnectionRefused extends BenchFailure {
  constructor(reasonCode: number) {
    super(`connection refused with code 0x${reasonCode.toString(16)}`);
  }
}

/** Bytes of the fixed-size values among the properties of a CONNACK; all others are one length-prefixed string. */
const VALUE_BYTES = new Map([
  [0x11, 4],
  [0x13, 2],
  [0x21, 2],
  [0x22, 2],
  [0x24, 1],
  [0x25, 1],
  [0x27, 4],
  [0x28, 1],
  [0x29, 1],
  [0x2a, 1],
]);

/**
 * @param body the CONNACK without its fixed header
 * @returns the broker's Receive Maximum
 * @throws ConnectionRefused
 */
export function receiveMaximumOf(body: Buffer, protocol: Protocol): number {
  const reasonCode = body.readUInt8(1);
  if (reasonCode !== 0) throw new ConnectionRefused(reasonCode);
  if (protocol === 4) return DEFAULT_RECEIVE_MAXIMUM;
  let at = 2;
  while (body.readUInt8(at++) > 0x7f);
  while (at < body.length) {
    const id = body.readUInt8(at++);
    if (id === RECEIVE_MAXIMUM) return body.readUInt16BE(at);
    const fixedBytes = VALUE_BYTES.get(id);
    if (fixedBytes !== undefined) {
      at += fixedBytes;
    } else {
      at += 2 + body.readUInt16BE(at);
      if (id === USER_PROPERTY) at += 2 + body.readUInt16BE(at);
    }
  }
  return DEFAULT_RECEIVE_MAXIMUM;
}
