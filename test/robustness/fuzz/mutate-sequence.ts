/** Mutations of a sequence of packets, and of the manner in which it comes. */
import { acknowledgement, DISCONNECT, frame, PINGREQ, publish, text, type Version } from '../support/packets.js';
import type { Random } from '../support/random-source.js';
import { ANSWERINGS, CHUNKINGS, type Delivery, ENDINGS, READINGS, TRANSPORTS } from './fuzz-input.js';
import { mutatePacket } from './mutate-packet.js';
import { splice } from './packet-edit.js';
import { layoutOf, versionOf } from './packet-layout.js';

const IDENTIFIERS = [1, 2, 3, 7, 100, 0x7fff, 0x8000, 0xffff];

type Packets = readonly Buffer[];
type Mutation = (random: Random, packets: Packets, version: Version, other: Packets) => Packets;

/** @param other a sequence to splice with */
export function mutateSequence(random: Random, packets: Packets, other: Packets): Packets {
  const version = packets[0] === undefined ? 5 : versionOf(packets[0], 5);
  return random.pick(MUTATIONS)(random, packets, version, other);
}

export function anyDelivery(random: Random): Delivery {
  return {
    transport: random.chance(0.75) ? 'tcp' : random.pick(TRANSPORTS),
    chunking: random.chance(0.4) ? 'whole' : random.pick(CHUNKINGS),
    reading: random.chance(0.95) ? 'always' : random.pick(READINGS),
    ending: random.chance(0.75) ? 'wait' : random.pick(ENDINGS),
    answering: random.pick(ANSWERINGS),
  };
}

/**
 * @param evenEmpty also where the client leaves its identifier to the broker
 * @returns the sequence with another client identifier, where it begins with a CONNECT
 */
export function renameClient(packets: Packets, clientId: string, evenEmpty = false): Packets {
  const first = packets[0];
  if (first === undefined) return packets;
  const field = layoutOf(first, versionOf(first, 5)).find(({ kind }) => kind === 'client-id');
  if (first[0] !== 0x10 || field === undefined || (field.end - field.start === 2 && !evenEmpty)) return packets;
  return [splice(first, field.start, field.end, text(clientId)), ...packets.slice(1)];
}

/** Damages a packet; CONNECT only now and then, since nothing behind it is reached then. */
const damage: Mutation = (random, packets, version) => {
  const from = packets.length > 1 && random.chance(0.75) ? 1 : 0;
  if (packets.length === 0) return packets;
  const index = from + random.below(packets.length - from);
  return packets.with(index, mutatePacket(random, packets[index] as Buffer, version));
};

const drop: Mutation = (random, packets) => packets.toSpliced(random.below(packets.length), 1);

const repeat: Mutation = (random, packets) => {
  if (packets.length === 0) return packets;
  const index = random.below(packets.length);
  return packets.toSpliced(index, 0, ...Array<Buffer>(1 + random.below(3)).fill(packets[index] as Buffer));
};

const reorder: Mutation = (random, packets) => {
  if (packets.length < 3) return packets;
  const [from, to] = [1 + random.below(packets.length - 1), 1 + random.below(packets.length - 1)];
  return packets.toSpliced(from, 1).toSpliced(to, 0, packets[from] as Buffer);
};

/** The beginning of one sequence and the end of the other. */
const join: Mutation = (random, packets, _version, other) => [
  ...packets.slice(0, 1 + random.below(packets.length)),
  ...other.slice(random.chance(0.8) ? 1 + random.below(other.length) : 0),
];

/** For identifiers that exist, or do not. */
const acknowledge: Mutation = (random, packets, version) => {
  const type = random.pick([4, 5, 6, 7] as const);
  const code = version === 5 && random.chance(0.5) ? random.pick([0, 0x10, 0x80, 0x92, 0x97]) : undefined;
  return packets.toSpliced(1 + random.below(packets.length), 0, acknowledgement(type, random.pick(IDENTIFIERS), code));
};

const insert: Mutation = (random, packets, version) => {
  const packet = random.pick([
    PINGREQ,
    DISCONNECT,
    packets[0] ?? PINGREQ,
    frame(0xf0),
    frame(random.below(16) << 4),
    publish({ version, topic: 'a/b', qos: 2, packetId: random.pick(IDENTIFIERS), duplicate: random.chance(0.5) }),
    publish({ version, topic: 'a/b', payload: Buffer.alloc(random.pick([0, 1000, 70_000])), retain: true }),
  ]);
  return packets.toSpliced(1 + random.below(packets.length), 0, packet);
};

const MUTATIONS: readonly Mutation[] = [
  damage,
  damage,
  damage,
  damage,
  drop,
  repeat,
  reorder,
  join,
  acknowledge,
  insert,
];
