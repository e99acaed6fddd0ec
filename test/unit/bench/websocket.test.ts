import { describe, expect, it } from 'vitest';
import { BINARY, maskedHeader, PONG } from '../../../bench/generator/websocket-frames.js';
import { WebSocketReader } from '../../../bench/generator/websocket-reader.js';

const ANSWER = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');

/** As a server sends it: unmasked. */
function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), payload]);
  const header = Buffer.alloc(length <= 0xffff ? 4 : 10);
  header[0] = 0x80 | opcode;
  header[1] = length <= 0xffff ? 126 : 127;
  if (length <= 0xffff) header.writeUInt16BE(length, 2);
  else header.writeUInt32BE(length, 6);
  return Buffer.concat([header, payload]);
}

function reading(): { reader: WebSocketReader; data: Buffer[]; pings: string[]; closes: number[] } {
  const data: Buffer[] = [];
  const pings: string[] = [];
  const closes: number[] = [];
  const reader = new WebSocketReader({
    onData: (bytes, start, end) => data.push(Buffer.from(bytes.subarray(start, end))),
    onPing: (body) => pings.push(body.toString()),
    onClose: () => closes.push(1),
  });
  return { reader, data, pings, closes };
}

const payloads = [Buffer.from('a'), Buffer.alloc(125, 'b'), Buffer.alloc(126, 'c'), Buffer.alloc(70_000, 'd')];
const stream = Buffer.concat([
  ANSWER,
  serverFrame(BINARY, payloads[0] as Buffer),
  serverFrame(0x9, Buffer.from('are you there')),
  ...payloads.slice(1).map((payload) => serverFrame(BINARY, payload)),
  serverFrame(BINARY, Buffer.alloc(0)),
  serverFrame(0x8, Buffer.from([0x03, 0xe8])),
]);

describe('the WebSocket reader of the generator', () => {
  it.each([[stream.length], [1], [2], [3], [7], [1000]])(
    'hands on what is in the messages, in chunks of %d bytes',
    (size) => {
      const { reader, data, pings, closes } = reading();
      for (let at = 0; at < stream.length; at += size) {
        const chunk = stream.subarray(at, at + size);
        // The chunk lies at the beginning of a buffer that has something else behind it.
        reader.read(Buffer.concat([chunk, Buffer.alloc(5, 0xff)]), chunk.length);
      }
      expect(Buffer.concat(data)).toEqual(Buffer.concat(payloads));
      expect(pings).toEqual(['are you there']);
      expect(closes).toHaveLength(1);
    },
  );

  it('is open when the answer is complete', () => {
    const { reader } = reading();
    reader.read(ANSWER.subarray(0, 20), 20);
    expect(reader.isOpen).toBe(false);
    reader.read(ANSWER.subarray(20), ANSWER.length - 20);
    expect(reader.isOpen).toBe(true);
  });

  it('refuses a server that does not switch', () => {
    const { reader } = reading();
    const refusal = Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n');
    expect(() => reader.read(refusal, refusal.length)).toThrow('404');
  });
});

describe('the header of a masked frame', () => {
  it.each([
    [5, '828500000000'],
    [125, '82fd00000000'],
    [126, '82fe007e00000000'],
    [65_535, '82feffff00000000'],
    [65_536, '82ff000000000001000000000000'],
  ])('is right for %d bytes', (length, hex) => {
    expect(maskedHeader(BINARY, length).toString('hex')).toBe(hex);
  });

  it('names the opcode', () => {
    expect(maskedHeader(PONG, 0).toString('hex')).toBe('8a8000000000');
  });
});
