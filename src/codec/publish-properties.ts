/** The properties of a Message as values, for code within the process. The hot path passes them on as bytes. */
import type { Message } from '../core/message.js';
import type { PublishProperties } from './message-builder.js';
import * as Property from './property-walker.js';

export type ReceivedProperties = PublishProperties;

const ANY = new Uint8Array(0x2b).fill(1);

/** Reads the property bytes, which have been validated when the message came in. */
export function decodePublishProperties(message: Message): ReceivedProperties {
  if (message.propertiesStart === message.propertiesEnd) return {};
  const properties: { -readonly [K in keyof PublishProperties]: PublishProperties[K] } = {};
  const userProperties: [string, string][] = [];
  Property.walkProperties(message.bytes, message.propertiesStart, message.propertiesEnd, ANY, {
    onProperty(id, value, bytes, start, end) {
      switch (id) {
        case Property.PayloadFormatIndicator:
          properties.payloadFormatIndicator = value === 1 ? 1 : 0;
          break;
        case Property.MessageExpiryInterval:
          properties.messageExpiryInterval = value;
          break;
        case Property.ContentType:
          properties.contentType = bytes.utf8Slice(start + 2, end);
          break;
        case Property.ResponseTopic:
          properties.responseTopic = bytes.utf8Slice(start + 2, end);
          break;
        case Property.CorrelationData:
          properties.correlationData = Buffer.from(bytes.subarray(start + 2, end));
          break;
        case Property.UserProperty: {
          const nameEnd = start + 2 + bytes.readUInt16BE(start);
          userProperties.push([bytes.utf8Slice(start + 2, nameEnd), bytes.utf8Slice(nameEnd + 2, end)]);
        }
      }
    },
  });
  if (userProperties.length > 0) properties.userProperties = userProperties;
  return properties;
}
