/** Reads user properties from the raw property bytes of a message (MQTT 5, section 3.3.2.3), which were validated when it came in. */
import type { Message } from '../core/message.js';

const PAYLOAD_FORMAT_INDICATOR = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const USER_PROPERTY = 0x26;

/** @returns the value of the first user property of that name, undefined if there is none */
export function findUserProperty(message: Message, name: string): string | undefined {
  const { bytes, propertiesEnd } = message;
  let offset = message.propertiesStart;
  while (offset < propertiesEnd) {
    const id = bytes[offset++] as number;
    if (id === PAYLOAD_FORMAT_INDICATOR) offset += 1;
    else if (id === MESSAGE_EXPIRY_INTERVAL) offset += 4;
    else {
      const end = offset + 2 + bytes.readUInt16BE(offset);
      if (id !== USER_PROPERTY) offset = end;
      else {
        const valueEnd = end + 2 + bytes.readUInt16BE(end);
        if (bytes.utf8Slice(offset + 2, end) === name) return bytes.utf8Slice(end + 2, valueEnd);
        offset = valueEnd;
      }
    }
  }
  return undefined;
}
