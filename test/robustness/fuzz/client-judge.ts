/**
 * Reads everything that a connection is going to send, and says what the broker has to do about it: the expectation
 * against which a conversation is checked. It knows the broker's announced limits and nothing else of it.
 */
import type { Version } from '../support/packets.js';
import { type ClientConnect, type ClientPacket, readClientPacket, readConnect } from './client-packet.js';
import { cutIntoFrames } from './frames.js';
import { Violation } from './strict-reader.js';

/** What a broker of the default configuration takes. */
const MAXIMUM_CONNECT_BYTES = 64 * 1024;
const MAXIMUM_PACKET_BYTES = 1024 * 1024;
const MAXIMUM_FILTERS = 1024;
const MAXIMUM_LEVELS = 128;
const TOPIC_ALIAS_MAXIMUM = 64;
const SESSION_EXPIRY_INTERVAL = 0x11;
/** Below the Receive Maximum, and below what one answer more or less would change. */
const MANY_PUBLISHES = 1000;

/**
 * - `lasting`: nothing is wrong with it, and it goes on
 * - `left`: it ends with a DISCONNECT that is in order
 * - `violating`: the broker must end it
 * - `refused`: a CONNECT in order to which the answer is a refusal
 * - `partial`: it stops within a packet
 * - `unclear`: what the broker does depends on what it has sent, or on something that MQTT leaves open
 */
export type Course = 'lasting' | 'left' | 'violating' | 'refused' | 'partial' | 'unclear';

export interface Expectation {
  readonly course: Course;
  readonly why: string;
  /** Undefined if it cannot be read. */
  readonly connect: ClientConnect | undefined;
  /** What comes after CONNECT, up to the end of the course. */
  readonly packets: readonly ClientPacket[];
}

export function judge(bytes: Buffer): Expectation {
  const { packets, rest, fault, announced } = cutIntoFrames(bytes);
  const first = packets[0];
  if (first === undefined) {
    const isTooLong = announced > MAXIMUM_CONNECT_BYTES;
    const course = fault !== undefined || isTooLong ? 'violating' : 'partial';
    return { course, why: fault ?? 'no whole packet', connect: undefined, packets: [] };
  }
  let connect: ClientConnect;
  try {
    connect = readConnect(first);
    if (first.length > MAXIMUM_CONNECT_BYTES) throw new Violation('too long a CONNECT');
  } catch (error) {
    return { course: 'violating', why: wordsOf(error), connect: undefined, packets: [] };
  }
  const refusal = refusalOf(connect);
  if (refusal !== undefined) return { course: 'refused', why: refusal, connect, packets: [] };
  const reader = new CourseReader(connect);
  for (const packet of packets.slice(1)) {
    reader.read(packet);
    if (reader.course !== 'lasting' && reader.course !== 'unclear') return reader.expectation;
  }
  if (fault !== undefined || announced > MAXIMUM_PACKET_BYTES) reader.end('violating', fault ?? 'too long a packet');
  else if (rest.length > 0 && reader.course === 'lasting') reader.end('partial', 'ends within a packet');
  return reader.expectation;
}

/**
 * Seconds for which the session may be kept behind the connection: by CONNECT or, if that asks for longer and is reached,
 * by DISCONNECT (section 3.14.2.2.2). Infinite where the broker's configuration says it.
 */
export function keptSecondsOf({ course, connect, packets }: Expectation): number {
  if (connect === undefined || course === 'refused') return 0;
  if (connect.version !== 5) return connect.cleanStart ? 0 : Number.POSITIVE_INFINITY;
  const last = packets.at(-1);
  const asked = last?.type === 'disconnect' ? last.sessionExpirySeconds : 0;
  return Math.max(asked, (connect.properties.get(SESSION_EXPIRY_INTERVAL) as number | undefined) ?? 0);
}

function refusalOf({ version, clientId, cleanStart, properties, willTopic }: ClientConnect): string | undefined {
  if (properties.has(0x15)) return 'an authentication method';
  if (clientId === '' && (version === 3 || (version === 4 && !cleanStart))) return 'no client identifier';
  if (willTopic === undefined) return undefined;
  if (willTopic === '$SYS' || willTopic.startsWith('$SYS/')) return 'a will to $SYS';
  return willTopic.split('/').length > MAXIMUM_LEVELS ? 'a will with too many levels' : undefined;
}

/** Follows the packets behind a CONNECT. */
class CourseReader {
  readonly #connect: ClientConnect;
  readonly #packets: ClientPacket[] = [];
  readonly #aliases = new Set<number>();
  readonly #version: Version;
  #publishes = 0;
  course: Course = 'lasting';
  #why = '';

  constructor(connect: ClientConnect) {
    this.#connect = connect;
    this.#version = connect.version;
    // Too small for some answer, which ends the connection.
    const maximumPacketSize = connect.properties.get(0x27) as number | undefined;
    if (maximumPacketSize !== undefined && maximumPacketSize < 512) this.end('unclear', 'takes small packets only');
  }

  get expectation(): Expectation {
    return { course: this.course, why: this.#why, connect: this.#connect, packets: this.#packets };
  }

  end(course: Course, why: string): void {
    this.course = course;
    this.#why = why;
  }

  read(bytes: Buffer): void {
    try {
      if (bytes.length > MAXIMUM_PACKET_BYTES) throw new Violation('too long a packet');
      const packet = readClientPacket(bytes, this.#version);
      this.#follow(packet);
      this.#packets.push(packet);
    } catch (error) {
      this.end('violating', wordsOf(error));
    }
  }

  #follow(packet: ClientPacket): void {
    switch (packet.type) {
      case 'publish':
        this.#followPublish(packet);
        break;
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        this.end('unclear', 'answers to what the broker may have sent');
        break;
      case 'subscribe':
      case 'unsubscribe':
        if (packet.filters.length > MAXIMUM_FILTERS) throw new Violation('too many filters');
        break;
      case 'disconnect':
        this.#followDisconnect(packet.sessionExpirySeconds);
        break;
      default:
    }
  }

  #followPublish({ qos, topic, alias, responseTopic }: ClientPacket & { type: 'publish' }): void {
    if (topic.split('/').length > MAXIMUM_LEVELS) throw new Violation('too many levels');
    if (alias > TOPIC_ALIAS_MAXIMUM) throw new Violation('too high an alias');
    if (topic === '' && !this.#aliases.has(alias)) throw new Violation('neither topic name nor known alias');
    if (alias > 0) this.#aliases.add(alias);
    if (responseTopic === '') this.end('unclear', 'nowhere to answer to');
    if (qos > 0 && ++this.#publishes > MANY_PUBLISHES) this.end('unclear', 'close to the Receive Maximum');
  }

  // Section 3.14.2.2.2
  #followDisconnect(sessionExpirySeconds: number): void {
    const isKept = ((this.#connect.properties.get(SESSION_EXPIRY_INTERVAL) as number | undefined) ?? 0) > 0;
    if (sessionExpirySeconds > 0 && !isKept) throw new Violation('DISCONNECT keeps a session that CONNECT did not');
    this.end('left', 'DISCONNECT');
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof Violation) return error.message;
  throw error;
}
