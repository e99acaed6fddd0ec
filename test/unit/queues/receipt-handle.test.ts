import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyedHash } from '../../../src/queues/keyed-hash.js';
import { ReceiptHandles } from '../../../src/queues/receipt-handle.js';

const receiptArbitrary = fc.record({
  queue: fc.nat(2 ** 32 - 1),
  sequence: fc.nat(2 ** 48 - 1),
  generation: fc.nat(2 ** 32 - 1),
});

it('the keyed hash is HalfSipHash-2-4: the reference vectors of 0 and 4 bytes', () => {
  const hash = new KeyedHash(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));
  const digest = (words: number[]): string => {
    hash.hash(Int32Array.from(words));
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(hash.low, 0);
    bytes.writeInt32LE(hash.high, 4);
    return bytes.toString('hex');
  };
  expect(digest([])).toBe('218d1f59b9b83cc8');
  expect(digest([0x03020100])).not.toBe('218d1f59b9b83cc8');
});

it('a handle says what it stands for, in 36 characters', () => {
  const handles = new ReceiptHandles(Buffer.from('12345678'), 7);
  fc.assert(
    fc.property(receiptArbitrary, ({ queue, sequence, generation }) => {
      const handle = handles.encode(queue, sequence, generation);
      expect(handle).toMatch(/^[\w-]{36}$/);
      expect(handles.decode(handle)).toEqual({ queue, sequence, generation, epoch: 7 });
    }),
  );
});

it('a handle outlives a restart with the same secret, and no other', () => {
  const handle = new ReceiptHandles(Buffer.from('12345678'), 7).encode(1, 2, 3);
  expect(new ReceiptHandles(Buffer.from('12345678'), 8).decode(handle)).toMatchObject({ sequence: 2, epoch: 7 });
  expect(new ReceiptHandles(Buffer.from('12345679'), 8).decode(handle)).toBeNull();
});

it('a handle with any bit changed is refused', () => {
  const handles = new ReceiptHandles(Buffer.from('12345678'), 7);
  const bytes = Buffer.from(handles.encode(1, 2, 3), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes);
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(handles.decode(altered.toString('base64url'))).toBeNull();
  }
  for (const text of ['', 'a', ' '.repeat(36), '='.repeat(36), 'ü'.repeat(36)]) expect(handles.decode(text)).toBeNull();
});
