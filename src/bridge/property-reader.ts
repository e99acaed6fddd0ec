/** Reads single properties from the raw property bytes of a message (MQTT 5, section 3.3.2.3), which were validated when it came in. */
import type { Message } from '../core/message.js';

const PAYLOAD_FORMAT_INDICATOR = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const USER_PROPERTY = 0x26;

/** @returns the value of the first user property of that name, undefined if there is none */
export function findUserProperty(message: Message, name: string): string | undefined {
  const { bytes, propertiesEnd } = message;
  for (let at = message.propertiesStart; at < propertiesEnd; at = endOfProperty(bytes, at)) {
    if (bytes[at] !== USER_PROPERTY) continue;
    const nameEnd = endOfString(bytes, at + 1);
    if (bytes.utf8Slice(at + 3, nameEnd) === name) {
      return bytes.utf8Slice(nameEnd + 2, endOfString(bytes, nameEnd));
    }
  }
  return undefined;
}

/** @param id of a property that is a string, or binary data @returns a view of its value, undefined if there is none */
export function findProperty(message: Message, id: number): Buffer | undefined {
  const { bytes, propertiesEnd } = message;
  for (let at = message.propertiesStart; at < propertiesEnd; at = endOfProperty(bytes, at)) {
    if (bytes[at] === id) return bytes.subarray(at + 3, endOfString(bytes, at + 1));
  }
  return undefined;
}

function endOfProperty(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case PAYLOAD_FORMAT_INDICATOR:
      return at + 2;
    case MESSAGE_EXPIRY_INTERVAL:
      return at + 5;
    case USER_PROPERTY:
      return endOfString(bytes, endOfString(bytes, at + 1));
    default:
      return endOfString(bytes, at + 1);
  }
}

function endOfString(bytes: Buffer, at: number): number {
  return at + 2 + bytes.readUInt16BE(at);
}
