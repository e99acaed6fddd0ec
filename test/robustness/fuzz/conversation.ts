/**
 * Checks what comes back on one connection against what the connection sends: every packet by itself, and each answer
 * against its question. Made before the first byte is sent, since an answer may come before the last one is.
 */
import type { Version } from '../support/packets.js';
import type { Expectation } from './client-judge.js';
import type { ClientPacket } from './client-packet.js';
import { cutIntoFrames } from './frames.js';
import { readServerPacket, type ServerPacket, type ServerPublish } from './server-packet.js';
import { Violation } from './strict-reader.js';

const LARGEST_RECEIVE_MAXIMUM = 65_535;
const REASON_STRING = 0x1f;
const USER_PROPERTY = 0x26;
const ASSIGNED_CLIENT_ID = 0x12;

/** An answer that the client may give at once. */
export interface Reply {
  readonly type: 4 | 5 | 7;
  readonly packetId: number;
}

export class Conversation {
  readonly #expectation: Expectation;
  readonly #version: Version | undefined;
  readonly #open = new Map<string, number>();
  readonly #filterCounts = new Map<string, number[]>();
  /** Identifiers of QoS 1 and 2 messages that the broker has sent and the client has not settled. */
  readonly #inflight = new Set<number>();
  readonly #aliases = new Set<number>();
  readonly #replies: Reply[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #connackCode: number | undefined;
  #isSessionPresent = false;
  #pings = 0;
  #openAnswers = 0;
  /** The reason code of a DISCONNECT that has come. */
  disconnectCode: number | undefined;
  pongs = 0;
  /** Given by the broker to a client without an identifier. */
  assignedClientId: string | undefined;

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
    this.#version = expectation.connect?.version;
    for (const packet of expectation.packets) this.#expectAnswerTo(packet);
  }

  get isAccepted(): boolean {
    return this.#connackCode === 0;
  }

  /** Everything that was asked has been answered. */
  get isSettled(): boolean {
    return this.isAccepted && this.#openAnswers === 0 && this.pongs === this.#pings;
  }

  /** Answers that the broker owes. */
  get openAnswers(): number {
    return this.#openAnswers;
  }

  /** The client is about to send one PINGREQ more. */
  onPing(): void {
    this.#pings++;
  }

  /** Takes bytes in any pieces. @throws Violation for what a server must not send */
  push(chunk: Buffer): void {
    const { packets, rest, fault } = cutIntoFrames(
      this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]),
    );
    for (const packet of packets) this.#onPacket(packet);
    if (fault !== undefined) throw new Violation(`from the broker: ${fault}`);
    this.#unread = Buffer.from(rest);
  }

  /** What the client may answer now; each is told once. */
  takeReplies(): Reply[] {
    return this.#replies.splice(0);
  }

  /** The broker has closed. @throws Violation if that is in the middle of a packet */
  end(): void {
    if (this.#unread.length > 0) throw new Violation('the broker closed within a packet');
  }

  #expectAnswerTo(packet: ClientPacket): void {
    switch (packet.type) {
      case 'publish':
        if (packet.qos > 0) this.#owe(packet.qos === 1 ? 'puback' : 'pubrec', packet.packetId);
        break;
      case 'pubrel':
        this.#owe('pubcomp', packet.packetId);
        break;
      case 'subscribe':
      case 'unsubscribe': {
        const key = this.#owe(packet.type === 'subscribe' ? 'suback' : 'unsuback', packet.packetId);
        const counts = this.#filterCounts.get(key) ?? [];
        counts.push(packet.filters.length);
        this.#filterCounts.set(key, counts);
        break;
      }
      case 'pingreq':
        this.#pings++;
        break;
      default:
    }
  }

  #owe(type: string, packetId: number): string {
    const key = `${type} ${packetId}`;
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    this.#openAnswers++;
    return key;
  }

  #settle(type: string, packetId: number): string {
    const key = `${type} ${packetId}`;
    const count = this.#open.get(key) ?? 0;
    if (count === 0) throw new Violation(`${key}, for which nobody has asked`);
    this.#open.set(key, count - 1);
    this.#openAnswers--;
    return key;
  }

  #onPacket(bytes: Buffer): void {
    if (this.disconnectCode !== undefined) throw new Violation('a packet behind DISCONNECT');
    if (this.#connackCode === undefined) {
      this.#onFirst(bytes);
      return;
    }
    if (this.#connackCode !== 0) throw new Violation('a packet behind a refusing CONNACK');
    const packet = readServerPacket(bytes, this.#version as Version);
    this.#checkSize(bytes.length, packet.type);
    switch (packet.type) {
      case 'connack':
        throw new Violation('a second CONNACK');
      case 'publish':
        this.#onPublish(packet);
        break;
      case 'pubrel':
        this.#onPubrel(packet.packetId);
        break;
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        this.#settle(packet.type, packet.packetId);
        this.#checkProblemInformation(packet);
        break;
      case 'suback':
      case 'unsuback':
        this.#onFilterAnswer(packet);
        this.#checkProblemInformation(packet);
        break;
      case 'pingresp':
        if (++this.pongs > this.#pings) throw new Violation('PINGRESP, for which nobody has asked');
        break;
      case 'disconnect':
        this.disconnectCode = packet.code;
    }
  }

  #onFirst(bytes: Buffer): void {
    if (bytes[0] !== 0x20) throw new Violation(`the first packet begins with ${bytes[0]}`);
    // A client whose version is not known is answered in the form that suits its name, or that of MQTT 3.1.1.
    const version = this.#version ?? (bytes.length === 4 ? 4 : 5);
    const packet = readServerPacket(bytes, version) as ServerPacket & { type: 'connack' };
    const { connect, course, why } = this.#expectation;
    const { code, sessionPresent, properties } = packet;
    if (code === 0 && (connect === undefined || course === 'refused')) throw new Violation(`accepted, despite ${why}`);
    // Who takes only small packets may not be able to take the acceptance [MQTT-3.1.2-24].
    const maximumPacketSize = (connect?.properties.get(0x27) as number | undefined) ?? Number.POSITIVE_INFINITY;
    const isTooLarge = code === 0x95 && maximumPacketSize < 512;
    if (code !== 0 && connect !== undefined && course !== 'refused' && !isTooLarge) {
      throw new Violation(`refused with ${code}`);
    }
    if (connect !== undefined) this.#checkSize(bytes.length, 'connack');
    if (sessionPresent && connect?.cleanStart === true) throw new Violation('a session present after a clean start');
    if (properties.has(ASSIGNED_CLIENT_ID) !== (version === 5 && connect?.clientId === '' && code === 0)) {
      throw new Violation('an Assigned Client Identifier where none is needed, or none where one is');
    }
    if (properties.has(0x1a) && connect?.properties.get(0x19) !== 1)
      throw new Violation('unasked Response Information');
    this.assignedClientId = properties.get(ASSIGNED_CLIENT_ID) as string | undefined;
    // MQTT 3.1 has no way to say it.
    this.#isSessionPresent = sessionPresent || (version === 3 && connect?.cleanStart === false);
    this.#connackCode = code;
  }

  #onPublish({ topic, qos, packetId, duplicate, properties }: ServerPublish): void {
    const { connect, packets } = this.#expectation;
    if (!this.#isSessionPresent && !packets.some(({ type }) => type === 'subscribe')) {
      throw new Violation('a PUBLISH to a client that has subscribed to nothing');
    }
    const alias = (properties.get(0x23) as number | undefined) ?? 0;
    if (alias > ((connect?.properties.get(0x22) as number | undefined) ?? 0)) throw new Violation(`the alias ${alias}`);
    if (topic === '' && !this.#aliases.has(alias)) throw new Violation(`the unknown alias ${alias}`);
    if (alias > 0) this.#aliases.add(alias);
    if (qos === 0) return;
    if (duplicate && !this.#isSessionPresent) throw new Violation('a PUBLISH repeated in a new session');
    this.#replies.push({ type: qos === 1 ? 4 : 5, packetId });
    // What the client sends on its own may settle messages at a time that cannot be known here.
    if (packets.some(({ type }) => type === 'puback' || type === 'pubrec' || type === 'pubcomp')) return;
    if (this.#inflight.has(packetId)) throw new Violation(`identifier ${packetId} is in use`);
    this.#inflight.add(packetId);
    const receiveMaximum = (connect?.properties.get(0x21) as number | undefined) ?? LARGEST_RECEIVE_MAXIMUM;
    if (this.#inflight.size > receiveMaximum) throw new Violation(`more than ${receiveMaximum} messages on the way`);
  }

  /** The client answers, so that the identifier can be used again once that has arrived. */
  onReplied({ type, packetId }: Reply): void {
    if (type !== 5) this.#inflight.delete(packetId);
  }

  #onPubrel(packetId: number): void {
    this.#replies.push({ type: 7, packetId });
  }

  #onFilterAnswer(packet: ServerPacket & { type: 'suback' | 'unsuback' }): void {
    const counts = this.#filterCounts.get(this.#settle(packet.type, packet.packetId)) ?? [];
    // Answers come in the order of the questions [MQTT-4.6.0-6 and 3.8.4].
    const expected = counts.shift();
    const isCounted = packet.type === 'suback' || this.#version === 5;
    if (isCounted && expected !== packet.codes.length) {
      throw new Violation(`${packet.codes.length} reason codes for ${expected} filters`);
    }
  }

  #checkSize(length: number, type: string): void {
    const maximum = this.#expectation.connect?.properties.get(0x27) as number | undefined;
    if (maximum !== undefined && length > maximum)
      throw new Violation(`${type} of ${length} bytes to one of ${maximum}`);
  }

  /** [MQTT-3.1.2-29] */
  #checkProblemInformation(packet: { readonly type: string; readonly properties: ReadonlyMap<number, unknown> }): void {
    if (this.#expectation.connect?.properties.get(0x17) !== 0) return;
    if (packet.properties.has(REASON_STRING) || packet.properties.has(USER_PROPERTY)) {
      throw new Violation(`${packet.type} explains itself to a client that does not want it`);
    }
  }
}
