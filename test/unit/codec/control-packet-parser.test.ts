import { type Packet, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PacketParser } from '../../../src/codec/packet-parser.js';
import { MalformedPacket } from '../../../src/core/errors.js';
import { packet } from './packet-notation.js';

const VALID = packet('82 0007 "a/b" 01');
const EXPECTED = { cmd: 'subscribe', messageId: 7, subscriptions: [{ topic: 'a/b', qos: 1 }] };

describe('PacketParser', () => {
  // biome-ignore format: one case, one line
  it.each([
    ['an error in the first byte', packet('80 0001 "a" 00')],
    ['an error far inside', packet('82 0001 "a" 00 "b" 03')],
    ['a string past the end', packet('82 0001 0009 61')],
    ['a frame that is not whole', VALID.subarray(0, 5)],
    ['no frame at all', Buffer.alloc(0)],
    ['another packet than was asked for', packet('a2 0001 "a"')],
    ['a type that does not exist', packet('00')],
  ])('reads a valid frame after %s', (_name, broken) => {
    const shared = new PacketParser(4);
    expect(() => shared.parse(broken, 'subscribe')).toThrow(MalformedPacket);
    expect(shared.parse(VALID, 'subscribe')).toMatchObject(EXPECTED);
    expect(shared.parse(VALID, 'subscribe')).toMatchObject(EXPECTED);
  });

  it('throws its parser away after an error, because mqtt-packet then reads the next length at the old position', () => {
    const packets: Packet[] = [];
    const bare = parser({ protocolVersion: 4 });
    bare.on('packet', (each) => packets.push(each));
    bare.on('error', () => {});
    bare.parse(packet('82 0001 "a" 00 "b" 03'));
    bare.parse(VALID);
    // The day this fails, mqtt-packet is mended and the parser may stay.
    expect(packets).toEqual([]);
  });
});
