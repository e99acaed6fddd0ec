/** What a server may send, by the letter (sections 3.2 to 3.15 of MQTT 5, and of 3.1.1): one packet at a time. */
import type { Version } from '../support/packets.js';
import { bodyOf } from './frames.js';
import { PROPERTIES_OF, type Properties, readProperties } from './property-table.js';
import { StrictReader, Violation } from './strict-reader.js';

export type ServerPacket =
  | {
      readonly type: 'connack';
      readonly sessionPresent: boolean;
      readonly code: number;
      readonly properties: Properties;
    }
  | ServerPublish
  | {
      readonly type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
      readonly packetId: number;
      readonly code: number;
      readonly properties: Properties;
    }
  | {
      readonly type: 'suback' | 'unsuback';
      readonly packetId: number;
      readonly codes: readonly number[];
      readonly properties: Properties;
    }
  | { readonly type: 'pingresp' }
  | { readonly type: 'disconnect'; readonly code: number; readonly properties: Properties };

export interface ServerPublish {
  readonly type: 'publish';
  readonly topic: string;
  readonly qos: number;
  readonly packetId: number;
  readonly duplicate: boolean;
  readonly retain: boolean;
  readonly properties: Properties;
  readonly payload: Buffer;
}

const NONE: Properties = new Map();
const RECEIPT_CODES = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASE_CODES = [0x00, 0x92];
const CODES = {
  connack: new Set([
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ]),
  puback: new Set(RECEIPT_CODES),
  pubrec: new Set(RECEIPT_CODES),
  pubrel: new Set(RELEASE_CODES),
  pubcomp: new Set(RELEASE_CODES),
  suback: new Set([0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]),
  unsuback: new Set([0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]),
  disconnect: new Set([
    0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ]),
} as const;

const ACKNOWLEDGEMENTS = { 4: 'puback', 5: 'pubrec', 6: 'pubrel', 7: 'pubcomp' } as const;

/** @param packet whole, with its fixed header @throws Violation */
export function readServerPacket(packet: Buffer, version: Version): ServerPacket {
  const first = packet[0] as number;
  const type = first >> 4;
  const reader = new StrictReader(bodyOf(packet));
  if (type === 3) return readPublish(first & 0x0f, reader, version);
  const flags = type === 6 ? 2 : 0;
  if ((first & 0x0f) !== flags) throw new Violation(`flags ${first & 0x0f} in a packet of type ${type}`);
  const result = readOther(type, reader, version);
  reader.expectEnd();
  return result;
}

function readOther(type: number, reader: StrictReader, version: Version): ServerPacket {
  switch (type) {
    case 2:
      return readConnack(reader, version);
    case 4:
    case 5:
    case 6:
    case 7:
      return readAcknowledgement(ACKNOWLEDGEMENTS[type], reader, version);
    case 9:
      return readFilterAnswer('suback', reader, version);
    case 11:
      return readFilterAnswer('unsuback', reader, version);
    case 13:
      return { type: 'pingresp' };
    case 14:
      return readDisconnect(reader, version);
    default:
      throw new Violation(`a packet of type ${type} from a server that was not asked for authentication`);
  }
}

function readConnack(reader: StrictReader, version: Version): ServerPacket {
  const flags = reader.byte('the flags of CONNACK');
  if (flags > 1 || (version === 3 && flags !== 0)) throw new Violation(`CONNACK has flags ${flags}`);
  const code = reader.byte('the code of CONNACK');
  if (version === 5) expectCode('connack', code);
  else if (code > 5) throw new Violation(`CONNACK has the return code ${code}`);
  if (code !== 0 && flags !== 0) throw new Violation('a refusing CONNACK says that a session is present');
  const properties = version === 5 ? readProperties(reader, PROPERTIES_OF.connack) : NONE;
  return { type: 'connack', sessionPresent: flags === 1, code, properties };
}

function readPublish(flags: number, reader: StrictReader, version: Version): ServerPublish {
  const qos = (flags >> 1) & 3;
  const duplicate = (flags & 8) !== 0;
  if (qos === 3) throw new Violation('PUBLISH has QoS 3');
  if (duplicate && qos === 0) throw new Violation('PUBLISH has DUP with QoS 0');
  const topic = reader.text('the topic name');
  if (/[+#]/.test(topic)) throw new Violation('PUBLISH has a wildcard in its topic name');
  const packetId = qos > 0 ? reader.packetId() : 0;
  const properties = version === 5 ? readProperties(reader, PROPERTIES_OF.publishFromServer) : NONE;
  if (topic === '' && !properties.has(0x23)) throw new Violation('PUBLISH has neither topic name nor alias');
  return {
    type: 'publish',
    topic,
    qos,
    packetId,
    duplicate,
    retain: (flags & 1) !== 0,
    properties,
    payload: reader.rest(),
  };
}

function readAcknowledgement(
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  reader: StrictReader,
  version: Version,
): ServerPacket {
  const packetId = reader.packetId();
  const code = version === 5 && !reader.isAtEnd ? reader.byte('the reason code') : 0;
  expectCode(type, code);
  const properties = version === 5 && !reader.isAtEnd ? readProperties(reader, PROPERTIES_OF.acknowledgement) : NONE;
  return { type, packetId, code, properties };
}

function readFilterAnswer(type: 'suback' | 'unsuback', reader: StrictReader, version: Version): ServerPacket {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties(reader, PROPERTIES_OF.acknowledgement) : NONE;
  if (type === 'unsuback' && version !== 5) return { type, packetId, codes: [], properties };
  const codes = [...reader.rest()];
  if (codes.length === 0) throw new Violation(`${type} has no reason code`);
  for (const code of codes) {
    if (version === 5) expectCode(type, code);
    else if (code > 2 && code !== 0x80) throw new Violation(`SUBACK has the return code ${code}`);
  }
  return { type, packetId, codes, properties };
}

function readDisconnect(reader: StrictReader, version: Version): ServerPacket {
  if (version !== 5) throw new Violation('a DISCONNECT to a client of MQTT 3');
  const code = reader.isAtEnd ? 0 : reader.byte('the reason code');
  expectCode('disconnect', code);
  const properties = reader.isAtEnd ? NONE : readProperties(reader, PROPERTIES_OF.disconnectFromServer);
  return { type: 'disconnect', code, properties };
}

function expectCode(type: keyof typeof CODES, code: number): void {
  if (!CODES[type].has(code)) throw new Violation(`${type} has the reason code ${code}`);
}
