/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7), read straight from the received bytes. As with the
 * PUBLISH decoder one instance serves everybody and each call overwrites the result.
 */
import { MalformedPacket } from '../core/errors.js';
import { ReasonCode } from '../core/reason-code.js';
import { type ProtocolVersion, PUBACK, PUBCOMP, PUBREC, PUBREL } from './packet-type.js';
import * as Property from './property-walker.js';

const ACKNOWLEDGEMENT_PROPERTIES = Property.propertySet(Property.ReasonString, Property.UserProperty);

const DUP = 0x08;

const IGNORE: Property.PropertyVisitor = { onProperty: () => {} };

const NAMES: Record<number, string> = {
  [PUBACK]: 'PUBACK',
  [PUBREC]: 'PUBREC',
  [PUBREL]: 'PUBREL',
  [PUBCOMP]: 'PUBCOMP',
};

/** Reason codes that PUBACK and PUBREC may carry (tables 3-4 and 3-5). */
const RECEIPT_CODES: ReadonlySet<number> = new Set([
  ReasonCode.Success,
  ReasonCode.NoMatchingSubscribers,
  ReasonCode.UnspecifiedError,
  ReasonCode.ImplementationSpecificError,
  ReasonCode.NotAuthorized,
  ReasonCode.TopicNameInvalid,
  ReasonCode.PacketIdentifierInUse,
  ReasonCode.QuotaExceeded,
  ReasonCode.PayloadFormatInvalid,
]);

/** Reason codes that PUBREL and PUBCOMP may carry (tables 3-6 and 3-7). */
const RELEASE_CODES: ReadonlySet<number> = new Set([ReasonCode.Success, ReasonCode.PacketIdentifierNotFound]);

export class AcknowledgementDecoder {
  packetId = 0;
  reasonCode = 0;

  /**
   * Decodes `bytes[start, end)`, one of the four packets, whole, with its variable header at `bodyStart`.
   * @throws MalformedPacket for wrong flags, a wrong length, identifier 0 or an unknown reason code
   */
  decode(bytes: Buffer, start: number, bodyStart: number, end: number, version: ProtocolVersion): void {
    const header = bytes[start] as number;
    const type = header >> 4;
    if ((header & 0x0f) !== (type === PUBREL ? 2 : 0) && !isRepeatedPubrel(header, version)) {
      malformed(type, 'has reserved flags set [MQTT-2.1.3-1]');
    }
    if (end - bodyStart < 2) malformed(type, 'ends within its packet identifier');
    const packetId = ((bytes[bodyStart] as number) << 8) | (bytes[bodyStart + 1] as number);
    if (packetId === 0) malformed(type, 'has packet identifier 0');
    this.packetId = packetId;
    this.reasonCode = 0;
    if (end - bodyStart > 2) this.#decodeReason(type, bytes, bodyStart + 2, end, version === 5);
  }

  #decodeReason(type: number, bytes: Buffer, offset: number, end: number, isVersion5: boolean): void {
    if (!isVersion5) malformed(type, 'is longer than its packet identifier');
    const reasonCode = bytes[offset] as number;
    const table = type === PUBACK || type === PUBREC ? RECEIPT_CODES : RELEASE_CODES;
    if (!table.has(reasonCode)) malformed(type, `has the unknown reason code 0x${reasonCode.toString(16)}`);
    this.reasonCode = reasonCode;
    if (offset + 1 === end) return;
    const length = Property.readVariableByteInteger(bytes, offset + 1, end);
    const propertiesStart = Property.variableByteIntegerEnd;
    if (propertiesStart + length !== end) malformed(type, 'is not as long as its properties');
    Property.walkProperties(bytes, propertiesStart, end, ACKNOWLEDGEMENT_PROPERTIES, IGNORE);
  }
}

/** MQTT 3.1 sends PUBREL at QoS 1, and DUP with it when it is repeated (its sections 2.1 and 3.6). */
function isRepeatedPubrel(header: number, version: ProtocolVersion): boolean {
  return version === 3 && header === ((PUBREL << 4) | DUP | 2);
}

function malformed(type: number, what: string): never {
  throw new MalformedPacket(`${NAMES[type]} ${what}`);
}
