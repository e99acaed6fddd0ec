import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/core/message.js';
import { MessageBlock } from '../../../src/store/message-block.js';
import { contentOf, messageArbitrary } from '../../support/arbitrary-message.js';
import { testMessage } from '../../support/test-message.js';

const FIRST = 1000;

/** A block with these messages, as far as they fit. @returns it with the number of those that did */
function blockOf(messages: readonly Message[], references: readonly number[] = []): [MessageBlock, number] {
  const block = MessageBlock.open(7, FIRST, 0);
  let count = 0;
  for (const message of messages) {
    if (!block.append(message, [{ id: count }], references[count] ?? 1)) break;
    count++;
  }
  return [block, count];
}

/** What a restart reads of the value. */
function recovered(value: Buffer, referencesOf: (sequence: number) => number = () => 1): MessageBlock {
  const block = MessageBlock.recover(7, value, ({ sequence }) => referencesOf(sequence));
  if (block === null) throw new TypeError('the block is damaged');
  return block;
}

function contents(block: MessageBlock, count: number) {
  return Array.from({ length: count }, (_, at) => {
    const message = block.messageAt(FIRST + at);
    return message === undefined ? undefined : contentOf(message);
  });
}

const messagesArbitrary = fc.array(messageArbitrary, { minLength: 1, maxLength: 20 });

describe('MessageBlock', () => {
  it('has the messages that it took, while it is open, stored, and read again', () => {
    fc.assert(
      fc.property(messagesArbitrary, (messages) => {
        const [block, count] = blockOf(messages);
        expect(count).toBeGreaterThan(0);
        expect([block.count, block.live, block.end]).toEqual([count, count, FIRST + count]);
        const expected = messages.slice(0, count).map(contentOf);
        expect(contents(block, count)).toEqual(expected);
        const value = Buffer.from(block.encode());
        expect(value.length).toBe(block.storedBytes);
        block.trimBuffer();
        expect(contents(block, count)).toEqual(expected);
        block.unload();
        expect([block.isLoaded, block.memoryBytes, block.messageAt(FIRST)]).toEqual([false, 0, undefined]);
        expect(block.load(value)).toBe(true);
        expect(contents(block, count)).toEqual(expected);
        const restored = recovered(value);
        expect([restored.first, restored.count, restored.live]).toEqual([FIRST, count, count]);
        expect(restored.isLoaded).toBe(false);
        expect(restored.load(value)).toBe(true);
        expect(contents(restored, count)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('takes no more than 64 KB, but for a single message', () => {
    const small = testMessage({ payload: 'x'.repeat(1000) });
    const block = MessageBlock.open(1, FIRST, 0);
    let taken = 0;
    while (block.append(small, [], 1)) taken++;
    expect(taken).toBeGreaterThan(55);
    expect(block.storedBytes).toBeLessThanOrEqual(64 * 1024);
    expect(block.count).toBe(taken);
    const large = testMessage({ payload: Buffer.alloc(1_000_000) });
    const alone = MessageBlock.open(2, FIRST, 0);
    expect(alone.append(large, [], 1)).toBe(true);
    expect(alone.append(small, [], 1)).toBe(false);
    expect(alone.messageAt(FIRST)?.payload.length).toBe(1_000_000);
  });

  it('counts who needs each message', () => {
    const [block] = blockOf([testMessage(), testMessage(), testMessage()], [1, 2, 1]);
    block.retain(FIRST);
    expect([block.release(FIRST), block.release(FIRST), block.release(FIRST)]).toEqual([false, true, false]);
    expect([block.release(FIRST + 1), block.isLive(FIRST + 1)]).toEqual([false, true]);
    block.retain(FIRST);
    expect([block.isLive(FIRST), block.live]).toEqual([false, 2]);
    expect([block.release(FIRST + 3), block.release(FIRST + 100), block.isLive(FIRST + 3)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(block.live).toBe(2);
  });

  it('leaves out what nobody needs when it is packed, once or again, also across a restart', () => {
    fc.assert(
      fc.property(
        fc.array(messageArbitrary, { minLength: 1, maxLength: 40 }),
        fc.infiniteStream(fc.nat(3)),
        fc.infiniteStream(fc.boolean()),
        (messages, references, keeps) => {
          const [open, count] = blockOf(
            messages,
            [...references.take(messages.length)].map((n) => n + 1),
          );
          const expected: (ReturnType<typeof contentOf> | undefined)[] = messages.slice(0, count).map(contentOf);
          let block = open;
          let value = Buffer.from(block.encode());
          for (let round = 0; round < 3; round++) {
            for (let at = 0; at < count; at++) {
              if (expected[at] === undefined || keeps.next().value === true) continue;
              while (block.isLive(FIRST + at)) block.release(FIRST + at);
              expected[at] = undefined;
            }
            const live = expected.filter((content) => content !== undefined).length;
            expect(block.live).toBe(live);
            if (live === 0) return;
            block.compact();
            expect(contents(block, count)).toEqual(expected);
            value = Buffer.from(block.encode());
            expect(value.length).toBe(block.storedBytes);
            const seen: number[] = [];
            block = recovered(value, (sequence) => {
              seen.push(sequence - FIRST);
              return 1;
            });
            expect(seen).toEqual([...expected.keys()].filter((at) => expected[at] !== undefined));
            expect([block.live, block.first]).toEqual([live, FIRST]);
            expect(block.load(value)).toBe(true);
            expect(contents(block, count)).toEqual(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('packs the few among very many, whose steps take more bytes', () => {
    const [block, count] = blockOf(Array.from({ length: 3000 }, () => testMessage({ topic: 't' })));
    expect(count).toBeGreaterThan(1200);
    for (let at = 0; at < count; at++) if (at % 600 !== 599) block.release(FIRST + at);
    block.compact();
    expect(block.storedBytes).toBeLessThan(150);
    const value = Buffer.from(block.encode());
    const restored = recovered(value);
    restored.load(value);
    for (let at = 0; at < count; at++) {
      const isThere = at % 600 === 599;
      expect([block.messageAt(FIRST + at) !== undefined, restored.isLive(FIRST + at)]).toEqual([isThere, isThere]);
    }
  });

  it('keeps at start the count that is given for each message, and knows what nobody needs', () => {
    const [block] = blockOf([testMessage(), testMessage(), testMessage()]);
    const restored = recovered(Buffer.from(block.encode()), (sequence) => sequence - FIRST);
    expect([restored.isLive(FIRST), restored.isLive(FIRST + 1), restored.isLive(FIRST + 2)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(restored.live).toBe(2);
    expect([restored.release(FIRST + 1), restored.release(FIRST + 2), restored.release(FIRST + 2)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('notices every byte that has changed, and every byte that is missing', () => {
    const [block] = blockOf([
      testMessage({ payload: 'one' }),
      testMessage({ topic: 'ü', payload: 'two', publisherId: 'p' }),
    ]);
    const value = Buffer.from(block.encode());
    block.unload();
    const isTaken = (bytes: Buffer) => block.load(bytes) || MessageBlock.recover(7, bytes, () => 1) !== null;
    for (let at = 0; at < value.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const damaged = Buffer.from(value);
        damaged[at] = (value[at] as number) ^ flip;
        expect(isTaken(damaged), `byte ${at}`).toBe(false);
      }
      expect(isTaken(value.subarray(0, at)), `${at} bytes`).toBe(false);
    }
    expect(isTaken(Buffer.concat([value, Buffer.alloc(1)]))).toBe(false);
    expect(isTaken(value)).toBe(true);
  });

  it('does not take the bytes of another block', () => {
    const [block] = blockOf([testMessage()]);
    const other = MessageBlock.open(8, FIRST + 1, 0);
    other.append(testMessage(), [], 1);
    block.unload();
    expect(block.load(Buffer.from(other.encode()))).toBe(false);
    expect(block.isLoaded).toBe(false);
  });
});
