/** The proof accepts what was confirmed in time, and sees every way of being too early. */
import { describe, expect, it } from 'vitest';
import { CommitProof, PacketType } from './commit-proof.js';
import { readTrace } from './system-call-trace.js';

const SOCKET = '22<TCP:[127.0.0.1:1883->127.0.0.1:5000]>';
const LOG = `20<${hex(Buffer.from('/data/1.log'))}>`;
/** PUBLISH, QoS 1, topic `t`, identifier 7, payload `key`, and its PUBACK; MQTT 3.1.1. */
const PUBLISH = Buffer.concat([
  Buffer.from([0x32, 8, 0, 1]),
  Buffer.from('t'),
  Buffer.from([0, 7]),
  Buffer.from('key'),
]);
const PUBACK = Buffer.from([0x40, 2, 0, 7]);

function hex(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

const call = {
  read: `1 read(${SOCKET}, "${hex(PUBLISH)}", 65536) = ${PUBLISH.length}`,
  write: `2 write(${LOG}, "${hex(Buffer.from('..key..'))}", 7) = 7`,
  sync: `2 fdatasync(${LOG}) = 0`,
  answer: `1 write(${SOCKET}, "${hex(PUBACK)}", 4) = 4`,
};

function isProven(...lines: string[]): boolean {
  const calls = readTrace(lines.join('\n'), (target) => target.startsWith('TCP:') || target.startsWith('/data/'));
  const proof = new CommitProof(calls);
  const [pair] = proof.answered(PacketType.Publish, PacketType.Puback);
  if (pair === undefined) throw new Error('no PUBACK was found');
  const confirmedAt = proof.confirmedAt([Buffer.from('key')]);
  return confirmedAt !== undefined && confirmedAt < pair.answer.call.began;
}

describe('the proof of a commit', () => {
  it('accepts a write, a sync and then the answer', () => {
    expect(isProven(call.read, call.write, call.sync, call.answer)).toBe(true);
  });

  it('accepts an answer that stands in one call with others', () => {
    const both = `1 writev(${SOCKET}, [{iov_base="\\xd0\\x00", iov_len=2}, {iov_base="${hex(PUBACK)}", iov_len=4}], 2) = 6`;
    expect(isProven(call.read, call.write, call.sync, both)).toBe(true);
  });

  it.each([
    ['no sync', [call.read, call.write, call.answer]],
    ['the sync before the write', [call.read, call.sync, call.write, call.answer]],
    ['the sync behind the answer', [call.read, call.write, call.answer, call.sync]],
    ['a sync of another file', [call.read, call.write, call.sync.replace('x31', 'x32'), call.answer]],
    [
      'a sync that failed',
      [call.read, call.write, call.sync.replace('= 0', '= -1 EIO (Input/output error)'), call.answer],
    ],
    [
      'a sync that had not ended',
      [call.read, call.write, `2 fdatasync(${LOG} <unfinished ...>`, call.answer, '2 <... fdatasync resumed>) = 0'],
    ],
    [
      'a sync that began before the write had ended',
      [
        call.read,
        `3 write(${LOG}, "${hex(Buffer.from('..key..'))}", 7 <unfinished ...>`,
        call.sync,
        '3 <... write resumed>) = 7',
        call.answer,
      ],
    ],
    ['a write that was cut short', [call.read, call.write.replace('= 7', '= 4'), call.sync, call.answer]],
  ])('refuses %s', (_, lines) => {
    expect(isProven(...lines)).toBe(false);
  });

  it('finds a message and its answer in pieces', () => {
    const [head, rest] = [PUBLISH.subarray(0, 5), PUBLISH.subarray(5)];
    const lines = [
      `1 read(${SOCKET}, "${hex(head)}", 65536) = ${head.length}`,
      `1 read(${SOCKET}, "${hex(rest)}", 65536) = ${rest.length}`,
      `2 write(${LOG}, "${hex(Buffer.from('..k'))}", 3) = 3`,
      `2 write(${LOG}, "${hex(Buffer.from('ey'))}", 2) = 2`,
      call.sync,
      call.answer,
    ];
    expect(isProven(...lines)).toBe(true);
    expect(isProven(...lines.slice(0, 3), call.sync, lines[3] as string, call.answer)).toBe(false);
  });
});
