import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicEntry } from '../../../src/topics/topic-entry.js';

/** Few characters, of one to four bytes, so that topics are often alike. */
const text = fc.array(fc.constantFrom('a', 'b', '/', 'é', '€', '😀'), { minLength: 1, maxLength: 5 });

describe('TopicEntry', () => {
  it.each([
    ['before its bytes are known', false],
    ['when its bytes are known', true],
  ])('recognises its topic, and no other, among other bytes, %s', (_, isKnown) => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const entry = new TopicEntry<object>(one.join(''));
        if (isKnown) entry.bytes;
        const bytes = Buffer.from(`ab${other.join('')}ab`);
        expect(entry.isIn(bytes, 2, bytes.length - 2)).toBe(one.join('') === other.join(''));
        const own = Buffer.from(`€${one.join('')}€`);
        expect(entry.isIn(own, 3, own.length - 3)).toBe(true);
      }),
    );
  });
});
