/**
 * MQTT packets as bytes, made without the broker's own codec: what attacks it must not share its mistakes.
 * Everything may be built wrong on purpose.
 */
export type Version = 3 | 4 | 5;

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u16(bytes.length), bytes]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function lengthOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

export function frame(firstByte: number, ...body: Buffer[]): Buffer {
  const content = Buffer.concat(body);
  return Buffer.concat([Buffer.from([firstByte]), lengthOf(content.length), content]);
}

/** A property section: its length, then its bytes. */
export function section(...properties: Buffer[]): Buffer {
  const content = Buffer.concat(properties);
  return Buffer.concat([lengthOf(content.length), content]);
}

export interface ConnectOptions {
  readonly version?: Version;
  readonly clientId?: string;
  readonly cleanStart?: boolean;
  readonly keepAliveSeconds?: number;
  readonly sessionExpirySeconds?: number;
  readonly receiveMaximum?: number;
  readonly maximumPacketSize?: number;
  readonly topicAliasMaximum?: number;
  readonly will?: { topic: string; payload: string; qos?: number; retain?: boolean; delaySeconds?: number };
  readonly username?: string;
  readonly password?: string;
}

export function connect(options: ConnectOptions = {}): Buffer {
  const version = options.version ?? 5;
  const { will } = options;
  let flags = (options.cleanStart ?? true) ? 2 : 0;
  if (will !== undefined) flags |= 4 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0);
  if (options.username !== undefined) flags |= 0x80;
  if (options.password !== undefined) flags |= 0x40;
  const parts = [text(version === 3 ? 'MQIsdp' : 'MQTT'), Buffer.from([version, flags])];
  parts.push(u16(options.keepAliveSeconds ?? 0));
  if (version === 5) parts.push(section(...connectProperties(options)));
  parts.push(text(options.clientId ?? ''));
  if (will !== undefined) {
    const { delaySeconds } = will;
    if (version === 5) {
      parts.push(section(delaySeconds === undefined ? Buffer.alloc(0) : Buffer.concat([B(0x18), u32(delaySeconds)])));
    }
    parts.push(text(will.topic), text(will.payload));
  }
  if (options.username !== undefined) parts.push(text(options.username));
  if (options.password !== undefined) parts.push(text(options.password));
  return frame(0x10, ...parts);
}

function connectProperties(options: ConnectOptions): Buffer[] {
  const { sessionExpirySeconds, receiveMaximum, maximumPacketSize, topicAliasMaximum } = options;
  const properties: Buffer[] = [];
  if (sessionExpirySeconds !== undefined) properties.push(B(0x11), u32(sessionExpirySeconds));
  if (receiveMaximum !== undefined) properties.push(B(0x21), u16(receiveMaximum));
  if (maximumPacketSize !== undefined) properties.push(B(0x27), u32(maximumPacketSize));
  if (topicAliasMaximum !== undefined) properties.push(B(0x22), u16(topicAliasMaximum));
  return properties;
}

export interface PublishOptions {
  readonly version?: Version;
  readonly topic: string;
  readonly payload?: string | Buffer;
  readonly qos?: number;
  readonly packetId?: number;
  readonly retain?: boolean;
  readonly duplicate?: boolean;
  /** MQTT 5 property bytes, without their length. */
  readonly properties?: Buffer;
}

export function publish(options: PublishOptions): Buffer {
  const qos = options.qos ?? 0;
  const flags = (qos << 1) | (options.retain ? 1 : 0) | (options.duplicate ? 8 : 0);
  const parts = [text(options.topic)];
  if (qos > 0) parts.push(u16(options.packetId ?? 1));
  if ((options.version ?? 5) === 5) parts.push(section(options.properties ?? Buffer.alloc(0)));
  parts.push(Buffer.from(options.payload ?? ''));
  return frame(0x30 | flags, ...parts);
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function acknowledgement(type: 4 | 5 | 6 | 7, packetId: number, reasonCode?: number): Buffer {
  const reason = reasonCode === undefined ? Buffer.alloc(0) : B(reasonCode);
  return frame((type << 4) | (type === 6 ? 2 : 0), u16(packetId), reason);
}

export function subscribe(
  packetId: number,
  filters: readonly string[],
  qos = 0,
  version: Version = 5,
  identifier = 0,
): Buffer {
  const parts = [u16(packetId)];
  if (version === 5) {
    parts.push(section(identifier === 0 ? Buffer.alloc(0) : Buffer.concat([B(0x0b), lengthOf(identifier)])));
  }
  for (const filter of filters) parts.push(text(filter), B(qos));
  return frame(0x82, ...parts);
}

export function unsubscribe(packetId: number, filters: readonly string[], version: Version = 5): Buffer {
  return frame(0xa2, u16(packetId), version === 5 ? section() : Buffer.alloc(0), ...filters.map(text));
}

export const PINGREQ = Buffer.from([0xc0, 0]);
export const DISCONNECT = Buffer.from([0xe0, 0]);

function B(value: number): Buffer {
  return Buffer.from([value]);
}

/** A packet of the broker. */
export interface Packet {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Takes bytes in any pieces, gives whole packets. */
export class PacketReader {
  #pieces: Buffer[] = [];
  #gathered = 0;
  /** Bytes that must be there before it is worth looking. */
  #wanted = 0;

  push(chunk: Buffer): Packet[] {
    this.#pieces.push(chunk);
    this.#gathered += chunk.length;
    if (this.#gathered < this.#wanted) return [];
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    const packets: Packet[] = [];
    let offset = 0;
    for (;;) {
      const header = readHeader(bytes, offset);
      this.#wanted = header === undefined ? 0 : header.bodyStart + header.length - offset;
      if (header === undefined || header.bodyStart + header.length > bytes.length) break;
      const first = bytes[offset] as number;
      const end = header.bodyStart + header.length;
      packets.push({ type: first >> 4, flags: first & 15, body: bytes.subarray(header.bodyStart, end) });
      offset = end;
    }
    this.#pieces = offset === bytes.length ? [] : [bytes.subarray(offset)];
    this.#gathered = bytes.length - offset;
    return packets;
  }
}

function readHeader(bytes: Buffer, offset: number): { bodyStart: number; length: number } | undefined {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[offset + 1 + i];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { bodyStart: offset + 2 + i, length };
  }
  throw new RangeError('the broker sent an impossible length');
}

export interface ReceivedPublish {
  readonly topic: string;
  readonly qos: number;
  readonly packetId: number;
  readonly duplicate: boolean;
  readonly retain: boolean;
  readonly payload: string;
  readonly payloadBytes: number;
}

export function readPublish(packet: Packet, version: Version = 5): ReceivedPublish {
  const { body, flags } = packet;
  const qos = (flags >> 1) & 3;
  let offset = 2 + body.readUInt16BE(0);
  const topic = body.toString('utf8', 2, offset);
  const packetId = qos > 0 ? body.readUInt16BE(offset) : 0;
  if (qos > 0) offset += 2;
  if (version === 5) {
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = body[offset++] as number;
      length |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f);
    offset += length;
  }
  const payloadBytes = body.length - offset;
  const payload = body.toString('utf8', offset, Math.min(body.length, offset + 64));
  return { topic, qos, packetId, duplicate: (flags & 8) !== 0, retain: (flags & 1) !== 0, payload, payloadBytes };
}
