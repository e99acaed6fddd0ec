/** That what judges would notice: an oracle that never complains proves nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  connect,
  DISCONNECT,
  frame,
  lengthOf,
  PINGREQ,
  publish,
  section,
  subscribe,
  text,
  u16,
  u32,
} from '../support/packets.js';
import { judge } from './client-judge.js';
import { Conversation } from './conversation.js';
import { withoutOrphan } from './findable-session.js';
import { type FuzzCase, plainInput } from './fuzz-input.js';
import { HeapMeter } from './heap-meter.js';
import { readHexFile, writeHexFile } from './hex-file.js';
import { MemoryTrend } from './memory-trend.js';
import { OwnSeeds } from './own-seeds.js';
import { shrink } from './shrink.js';
import { Violation } from './strict-reader.js';
import { Turnstile } from './turnstile.js';

const CONNACK5 = Buffer.from([0x20, 3, 0, 0, 0]);
const CONNACK4 = Buffer.from([0x20, 2, 0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

/** What a client that sends `sent` thinks of `received`. */
function converse(sent: readonly Buffer[], ...received: Buffer[]): Conversation {
  const conversation = new Conversation(judge(Buffer.concat(sent)));
  for (const bytes of received) conversation.push(bytes);
  return conversation;
}

describe('a conversation', () => {
  const client5 = connect({ clientId: 'c', receiveMaximum: 1, maximumPacketSize: 600, topicAliasMaximum: 1 });
  const subscribed5 = [client5, subscribe(1, ['a', 'b'])];
  const suback = frame(0x90, u16(1), section(), Buffer.from([0, 0]));

  it('is settled when everything is answered', () => {
    const conversation = converse([...subscribed5, publish({ topic: 'a', qos: 1 }), PINGREQ], CONNACK5, suback);
    expect(conversation.isSettled).toBe(false);
    conversation.push(Buffer.concat([acknowledgement(4, 1), PINGRESP]));
    expect(conversation.isSettled).toBe(true);
  });

  it.each([
    ['anything before CONNACK', subscribed5, [suback]],
    ['a second CONNACK', [client5], [CONNACK5, CONNACK5]],
    ['a refusal without a reason', [client5], [Buffer.from([0x20, 3, 0, 0x87, 0])]],
    ['a session present after a clean start', [client5], [Buffer.from([0x20, 3, 1, 0, 0])]],
    ['an answer to nothing', [client5], [CONNACK5, acknowledgement(4, 1)]],
    ['a second answer', subscribed5, [CONNACK5, suback, suback]],
    ['too few reason codes', subscribed5, [CONNACK5, frame(0x90, u16(1), section(), Buffer.from([0]))]],
    ['an unknown reason code', subscribed5, [CONNACK5, frame(0x90, u16(1), section(), Buffer.from([0, 3]))]],
    ['a packet of a client', subscribed5, [CONNACK5, frame(0x82, u16(1), section(), text('a'), Buffer.from([0]))]],
    ['PUBLISH without a subscription', [client5], [CONNACK5, publish({ topic: 'a' })]],
    ['PUBLISH with a wildcard', subscribed5, [CONNACK5, publish({ topic: 'a/+' })]],
    ['PUBLISH with bad UTF-8', subscribed5, [CONNACK5, frame(0x30, u16(1), Buffer.from([0xff]), section())]],
    [
      'more than Receive Maximum',
      subscribed5,
      [CONNACK5, ...[1, 2].map((packetId) => publish({ topic: 'a', qos: 1, packetId }))],
    ],
    ['more than Maximum Packet Size', subscribed5, [CONNACK5, publish({ topic: 'a', payload: 'x'.repeat(600) })]],
    [
      'an alias above the maximum',
      subscribed5,
      [CONNACK5, publish({ topic: 'a', properties: Buffer.from([0x23, 0, 2]) })],
    ],
    [
      'an alias that is not set',
      subscribed5,
      [CONNACK5, publish({ topic: '', properties: Buffer.from([0x23, 0, 1]) })],
    ],
    [
      'a property of other packets',
      subscribed5,
      [CONNACK5, publish({ topic: 'a', properties: Buffer.from([0x13, 0, 1]) })],
    ],
    ['a PUBLISH repeated in a new session', subscribed5, [CONNACK5, publish({ topic: 'a', qos: 1, duplicate: true })]],
    ['a packet behind DISCONNECT', [client5, PINGREQ], [CONNACK5, DISCONNECT, PINGRESP]],
    ['a DISCONNECT to a client of MQTT 3', [connect({ version: 4, clientId: 'c' })], [CONNACK4, DISCONNECT]],
    [
      'a long PUBACK to a client of MQTT 3',
      [connect({ version: 4, clientId: 'c' }), publish({ version: 4, topic: 'a', qos: 1 })],
      [CONNACK4, acknowledgement(4, 1, 0)],
    ],
    ['an impossible length', [client5], [CONNACK5, Buffer.from([0xd0, 0x80, 0x80, 0x80, 0x80, 0])]],
    ['a length that is not minimal', [client5, PINGREQ], [CONNACK5, Buffer.from([0xd0, 0x80, 0])]],
  ])('refuses %s', (_what, sent, received) => {
    expect(() => converse(sent, ...received)).toThrow(Violation);
  });

  it('refuses half a packet at the end', () => {
    const conversation = converse([client5], CONNACK5.subarray(0, 3));
    expect(() => conversation.end()).toThrow(Violation);
  });
});

describe('the judge', () => {
  it.each(new OwnSeeds().seeds())('finds $name in order: $isValid', ({ packets, isValid }) => {
    expect(judge(Buffer.concat(packets)).course === 'violating').toBe(!isValid);
  });

  const begin = connect({ clientId: 'c' });
  it.each([
    ['PINGREQ first', PINGREQ],
    ['a second CONNECT', Buffer.concat([begin, begin])],
    ['QoS 3', Buffer.concat([begin, frame(0x36, text('a'), u16(1), section())])],
    ['identifier 0', Buffer.concat([begin, publish({ topic: 'a', qos: 1, packetId: 0 })])],
    [
      'an alias above the maximum',
      Buffer.concat([begin, publish({ topic: 'a', properties: Buffer.from([0x23, 0, 65]) })]),
    ],
    ['a length of five bytes', Buffer.concat([begin, Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1])])],
    ['a packet above the maximum, begun', Buffer.concat([begin, Buffer.from([0x30]), lengthOf(2_000_000)])],
    ['SUBSCRIBE without a filter', Buffer.concat([begin, frame(0x82, u16(1), section())])],
  ])('finds %s violating', (_what, bytes) => {
    expect(judge(bytes).course).toBe('violating');
  });
});

describe('a session that only its CONNACK names', () => {
  const asking = (sessionExpirySeconds: number) => connect({ sessionExpirySeconds });
  const hour = Buffer.concat([Buffer.from([0x11]), u32(3600)]);
  const surplus = Buffer.from('6f6e65', 'hex');
  const nameIn = (packets: readonly Buffer[]) => judge(Buffer.concat(packets)).connect?.clientId;

  it.each([
    ['CONNECT asks for it', [asking(100), PINGREQ]],
    ['DISCONNECT asks for it', [asking(1), frame(0xe0, Buffer.from([4]), section(hour))]],
    ['CONNECT has bytes behind its end', [Buffer.concat([asking(0xffffffff), surplus]), PINGREQ]],
    ['CONNECT comes in two parts', [asking(100).subarray(0, 9), asking(100).subarray(9), PINGREQ]],
    ['nothing stands before CONNECT', [Buffer.alloc(0), asking(100)]],
  ])('gets another name, if it would outlive the run: %s', (_why, packets) => {
    expect(nameIn(packets)).toBe('');
    const named = withoutOrphan(packets, 'fuzz-7');
    expect(nameIn(named)).toBe('fuzz-7');
    const behind = Buffer.concat(packets).subarray(asking(1).length);
    expect(Buffer.concat(named).subarray(asking(1).length + 'fuzz-7'.length)).toEqual(behind);
  });

  it.each([
    ['it expires soon', [asking(2)]],
    ['it ends with the connection', [connect({})]],
    ['DISCONNECT may not ask for it', [asking(0), frame(0xe0, Buffer.from([4]), section(hour))]],
    ['it has a name', [connect({ clientId: 'c', sessionExpirySeconds: 100 })]],
  ])('is left as it is, if %s', (_why, packets) => {
    expect(withoutOrphan(packets, 'fuzz-7')).toBe(packets);
  });
});

it('a case is the same when it has been written and read', () => {
  const fuzzCase: FuzzCase = [plainInput([connect(), PINGREQ]), plainInput([DISCONNECT])];
  expect(readHexFile(writeHexFile(fuzzCase, 'why\nand how'))).toEqual(fuzzCase);
});

it('a case shrinks to what still fails', async () => {
  const packets = Array.from({ length: 20 }, (_, i) => publish({ topic: `topic/${i}`, payload: 'something long' }));
  const fuzzCase = [
    plainInput(packets),
    plainInput([PINGREQ, Buffer.from('before!after'), PINGREQ]),
    plainInput(packets),
  ];
  const fails = async (candidate: FuzzCase) =>
    candidate.some(({ scripts }) => scripts.some((script) => Buffer.concat(script.packets).includes('!')));
  const shortest = await shrink(fuzzCase, { fails, isTimeOver: () => false });
  expect(shortest).toEqual([plainInput([Buffer.from('!')])]);
});

it('a trend is that of the last two thirds, in MiB a minute', () => {
  const trend = new MemoryTrend();
  for (let i = 0; i < 90; i++) trend.add(i * 1000, (i < 30 ? 10 * i : 300 + i / 30) * 1024 * 1024);
  // What is on its way now and then is no trend.
  for (let i = 90; i < 95; i++) trend.add(i * 1000, (i === 92 ? 300 + i / 30 : 900) * 1024 * 1024);
  expect(trend.slope).toBeCloseTo(2);
});

it('what a process holds is told without what it has let go', async () => {
  const program = `
    globalThis.held = Buffer.alloc(30 * 1024 * 1024);
    for (let i = 0; i < 10; i++) Buffer.alloc(10 * 1024 * 1024);
    setInterval(() => {}, 1000);
    console.log('ready');`;
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', '-e', program]);
  try {
    const ready = once(child.stdout, 'data');
    const [line] = (await once(createInterface({ input: child.stderr }), 'line')) as [string];
    await ready;
    const meter = new HeapMeter(line.slice(line.indexOf('ws://')));
    const usedMb = ((await meter.usedBytes()) ?? 0) / 1024 / 1024;
    expect(usedMb).toBeGreaterThan(30);
    expect(usedMb).toBeLessThan(45);
  } finally {
    child.kill();
  }
});

it('a process that is gone holds nothing that could be told', async () => {
  expect(await new HeapMeter('ws://127.0.0.1:1/').usedBytes()).toBeUndefined();
});

it('what runs alone waits for what runs, and what comes waits for it', async () => {
  const turnstile = new Turnstile();
  const log: string[] = [];
  let finish = (): void => {};
  const first = turnstile.beside(async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    log.push('first');
  });
  const alone = turnstile.alone(async () => {
    log.push('alone begins');
    await Promise.resolve();
    log.push('alone ends');
  });
  const second = turnstile.beside(async () => {
    log.push('second');
  });
  finish();
  await Promise.all([first, alone, second]);
  expect(log).toEqual(['first', 'alone begins', 'alone ends', 'second']);
});
