/**
 * The few MQTT packets the generator sends besides PUBLISH and acknowledgements, and the names of packet types.
 * The generator has its own encoder on purpose: it must neither cost what a library costs nor share the broker's bugs.
 */
import type { Login } from './logins.js';

export type Protocol = 4 | 5;
export type Qos = 0 | 1 | 2;

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBACK = 9;

/** The first bytes of the acknowledgement packets, with the flags that the specification reserves [MQTT-3.6.1-1]. */
export const PUBACK_HEADER = PUBACK << 4;
export const PUBREC_HEADER = PUBREC << 4;
export const PUBREL_HEADER = (PUBREL << 4) | 0x02;
export const PUBCOMP_HEADER = PUBCOMP << 4;

export const DISCONNECT_FRAME = Buffer.from([0xe0, 0x00]);

const USER_PROPERTY = 0x26;
/** As a device would add them. */
const USER_PROPERTIES: readonly (readonly [string, string])[] = [
  ['content', 'application/json'],
  ['firmware', '2.14.3'],
  ['site', 'plant-07'],
  ['trace', '5c0ffee15badf00d'],
];

const CLEAN_START = 0x02;
const WITH_USERNAME_AND_PASSWORD = 0xc0;
const SESSION_EXPIRY_INTERVAL = 0x11;
/** How long a persistent session outlives its connection: an hour is longer than any run. */
const PERSISTENT_PROPERTIES = Buffer.from([0x05, SESSION_EXPIRY_INTERVAL, 0x00, 0x00, 0x0e, 0x10]);
const NO_PROPERTIES = Buffer.from([0x00]);
const EMPTY = Buffer.alloc(0);

/**
 * A CONNECT without keep alive.
 * @param persistent whether the session goes on where it was left, and outlives the connection
 * @param login undefined for a client that does not say who it is
 */
export function connectFrame(protocol: Protocol, clientId: string, persistent: boolean, login?: Login): Buffer {
  const keepAlive = Buffer.from([0x00, 0x00]);
  const flags = (persistent ? 0 : CLEAN_START) | (login === undefined ? 0 : WITH_USERNAME_AND_PASSWORD);
  const session = persistent && protocol === 5 ? PERSISTENT_PROPERTIES : properties(protocol);
  const credentials = login === undefined ? [] : [mqttString(login.username), mqttString(login.password)];
  const head = [mqttString('MQTT'), Buffer.from([protocol, flags]), keepAlive, session];
  return frame(0x10, [...head, mqttString(clientId), ...credentials]);
}

/** A SUBSCRIBE, every filter with the same QoS. The packet id must not be that of another one without an answer [MQTT-2.3.1-2]. */
export function subscribeFrame(protocol: Protocol, filters: readonly string[], qos: Qos, packetIdentifier = 1): Buffer {
  const packetId = Buffer.from([packetIdentifier >> 8, packetIdentifier & 0xff]);
  const entries = filters.flatMap((filter) => [mqttString(filter), Buffer.from([qos])]);
  return frame(0x82, [packetId, properties(protocol), ...entries]);
}

/** What is in a PUBLISH beside its topic and its payload. */
export interface PublishExtras {
  readonly retain?: boolean;
  /** User Properties, of MQTT 5. */
  readonly userProperties?: number;
}

/** One PUBLISH with packet id 0 where it has one; the caller overwrites it. */
export function publishFrame(
  protocol: Protocol,
  topic: string,
  qos: Qos,
  payload: Buffer,
  { retain = false, userProperties = 0 }: PublishExtras = {},
): Buffer {
  const packetId = qos > 0 ? Buffer.alloc(2) : EMPTY;
  const header = (PUBLISH << 4) | (qos << 1) | (retain ? 1 : 0);
  return frame(header, [mqttString(topic), packetId, publishProperties(protocol, userProperties), payload]);
}

/** The properties of a PUBLISH with their length before them; nothing in MQTT 3.1.1. */
export function publishProperties(protocol: Protocol, userProperties: number): Buffer {
  if (protocol === 4) return EMPTY;
  const pairs = Array.from({ length: userProperties }, (_, number) => {
    const [name, value] = USER_PROPERTIES[number % USER_PROPERTIES.length] as readonly [string, string];
    return Buffer.concat([Buffer.from([USER_PROPERTY]), mqttString(name), mqttString(value)]);
  });
  const bytes = Buffer.concat(pairs);
  return Buffer.concat([Buffer.from(variableByteInteger(bytes.length)), bytes]);
}

function frame(firstByte: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([firstByte, ...variableByteInteger(body.length)]), body]);
}

function mqttString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function properties(protocol: Protocol): Buffer {
  return protocol === 5 ? NO_PROPERTIES : EMPTY;
}

function variableByteInteger(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const digit = rest & 0x7f;
    rest >>= 7;
    bytes.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return bytes;
}
