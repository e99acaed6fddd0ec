/** What a client may send, by the letter: one packet at a time. What depends on earlier packets is the judge's matter. */
import type { Version } from '../support/packets.js';
import { bodyOf } from './frames.js';
import { PROPERTIES_OF, type Properties, readProperties } from './property-table.js';
import { StrictReader, Violation } from './strict-reader.js';

export interface ClientConnect {
  readonly version: Version;
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly properties: Properties;
  readonly willTopic: string | undefined;
}

export type ClientPacket =
  | {
      readonly type: 'publish';
      readonly qos: number;
      readonly packetId: number;
      readonly topic: string;
      readonly alias: number;
      readonly responseTopic: string | undefined;
    }
  | { readonly type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'; readonly packetId: number }
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly packetId: number; readonly filters: readonly string[] }
  | { readonly type: 'pingreq' }
  | { readonly type: 'disconnect'; readonly sessionExpirySeconds: number };

const NONE: Properties = new Map();
const DUP = 8;
const RECEIPT_CODES = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
const RELEASE_CODES = new Set([0x00, 0x92]);
const DISCONNECT_CODES = new Set([0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]);
const VERSIONS = new Map<string, Version>([
  ['MQIsdp 3', 3],
  ['MQIsdp 131', 3],
  ['MQTT 4', 4],
  ['MQTT 132', 4],
  ['MQTT 5', 5],
]);

/** @param packet whole @throws Violation */
export function readConnect(packet: Buffer): ClientConnect {
  if (packet[0] !== 0x10) throw new Violation('not a CONNECT');
  const reader = new StrictReader(bodyOf(packet));
  const version = VERSIONS.get(`${reader.text('the protocol name')} ${reader.byte('the level')}`);
  if (version === undefined) throw new Violation('an unknown protocol');
  const flags = reader.byte('the flags');
  const hasWill = (flags & 4) !== 0;
  if ((flags & 1) !== 0) throw new Violation('the reserved flag');
  if (!hasWill && (flags & 0x38) !== 0) throw new Violation('flags of a will without one');
  if ((flags & 0x18) === 0x18) throw new Violation('a will of QoS 3');
  if (version !== 5 && (flags & 0xc0) === 0x40) throw new Violation('a password without a user name');
  const keepAliveSeconds = reader.twoBytes('the keep alive');
  const properties = version === 5 ? readProperties(reader, PROPERTIES_OF.connect) : NONE;
  if (properties.has(0x16) && !properties.has(0x15)) throw new Violation('authentication data alone');
  const clientId = reader.text('the client identifier');
  const willTopic = hasWill ? readWill(reader, version) : undefined;
  // MQTT 3.1, section 3.1: the Remaining Length takes precedence over the flags of user name and password.
  const mayEnd = (): boolean => version === 3 && reader.isAtEnd;
  if ((flags & 0x80) !== 0 && !mayEnd()) reader.text('the user name');
  if ((flags & 0x40) !== 0 && !mayEnd()) reader.binary('the password');
  reader.expectEnd();
  return { version, clientId, cleanStart: (flags & 2) !== 0, keepAliveSeconds, properties, willTopic };
}

function readWill(reader: StrictReader, version: Version): string {
  const properties = version === 5 ? readProperties(reader, PROPERTIES_OF.will) : NONE;
  expectTopicName(properties.get(0x08));
  const topic = reader.text('the will topic');
  expectTopicName(topic);
  reader.binary('the will');
  return topic;
}

/** Any packet but CONNECT. @throws Violation */
export function readClientPacket(packet: Buffer, version: Version): ClientPacket {
  const first = packet[0] as number;
  const type = first >> 4;
  const reader = new StrictReader(bodyOf(packet));
  if (type === 3) return readPublish(first & 0x0f, reader, version);
  expectFlags(type, first & 0x0f, version);
  const result = readOther(type, reader, version);
  reader.expectEnd();
  return result;
}

/** MQTT 3.1 repeats PUBREL, SUBSCRIBE and UNSUBSCRIBE with DUP (section 2.1 of 3.1). */
function expectFlags(type: number, flags: number, version: Version): void {
  const hasTwo = type === 6 || type === 8 || type === 10;
  const seen = version === 3 && hasTwo ? flags & ~DUP : flags;
  if (seen !== (hasTwo ? 2 : 0)) throw new Violation(`flags ${flags} in a packet of type ${type}`);
}

function readOther(type: number, reader: StrictReader, version: Version): ClientPacket {
  switch (type) {
    case 4:
      return { type: 'puback', packetId: readAcknowledgement(reader, version, RECEIPT_CODES) };
    case 5:
      return { type: 'pubrec', packetId: readAcknowledgement(reader, version, RECEIPT_CODES) };
    case 6:
      return { type: 'pubrel', packetId: readAcknowledgement(reader, version, RELEASE_CODES) };
    case 7:
      return { type: 'pubcomp', packetId: readAcknowledgement(reader, version, RELEASE_CODES) };
    case 8:
    case 10:
      return readFilters(type === 8 ? 'subscribe' : 'unsubscribe', reader, version);
    case 12:
      return { type: 'pingreq' };
    case 14:
      return readDisconnect(reader, version);
    default:
      throw new Violation(`a client sends a packet of type ${type}`);
  }
}

function readPublish(flags: number, reader: StrictReader, version: Version): ClientPacket {
  const qos = (flags >> 1) & 3;
  if (qos === 3 || ((flags & DUP) !== 0 && qos === 0)) throw new Violation(`PUBLISH has flags ${flags}`);
  const topic = reader.text('the topic name');
  if (topic !== '' || version !== 5) expectTopicName(topic);
  const packetId = qos > 0 ? reader.packetId() : 0;
  const properties = version === 5 ? readProperties(reader, PROPERTIES_OF.publishFromClient) : NONE;
  const responseTopic = properties.get(0x08) as string | undefined;
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) throw new Violation('a wildcard to answer to');
  return {
    type: 'publish',
    qos,
    packetId,
    topic,
    alias: (properties.get(0x23) as number | undefined) ?? 0,
    responseTopic,
  };
}

function readAcknowledgement(reader: StrictReader, version: Version, codes: ReadonlySet<number>): number {
  const packetId = reader.packetId();
  if (version !== 5 || reader.isAtEnd) return packetId;
  if (!codes.has(reader.byte('the reason code'))) throw new Violation('an unknown reason code');
  if (!reader.isAtEnd) readProperties(reader, PROPERTIES_OF.acknowledgement);
  return packetId;
}

function readFilters(type: 'subscribe' | 'unsubscribe', reader: StrictReader, version: Version): ClientPacket {
  const packetId = reader.packetId();
  if (version === 5) readProperties(reader, PROPERTIES_OF[type]);
  const filters: string[] = [];
  while (!reader.isAtEnd) {
    const filter = reader.text('a filter');
    filters.push(filter);
    if (type === 'unsubscribe') continue;
    const options = reader.byte('the options');
    const isBad = version === 5 ? (options & 0xc0) !== 0 || (options & 0x30) === 0x30 : options > 2;
    if (isBad || (options & 3) === 3) throw new Violation(`subscription options ${options}`);
    if ((options & 4) !== 0 && filter.startsWith('$share/')) throw new Violation('No Local on a shared subscription');
  }
  if (filters.length === 0) throw new Violation('no filter');
  return { type, packetId, filters };
}

function readDisconnect(reader: StrictReader, version: Version): ClientPacket {
  if (version !== 5 || reader.isAtEnd) return { type: 'disconnect', sessionExpirySeconds: 0 };
  if (!DISCONNECT_CODES.has(reader.byte('the reason code'))) throw new Violation('an unknown reason code');
  const properties = reader.isAtEnd ? NONE : readProperties(reader, PROPERTIES_OF.disconnectFromClient);
  return { type: 'disconnect', sessionExpirySeconds: (properties.get(0x11) as number | undefined) ?? 0 };
}

function expectTopicName(topic: unknown): void {
  if (topic !== undefined && (topic === '' || /[+#]/.test(topic as string))) throw new Violation('not a topic name');
}
