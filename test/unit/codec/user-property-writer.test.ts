/** User Properties that the broker adds of its own. */
import { describe, expect, it } from 'vitest';
import { UserPropertyWriter } from '../../../src/codec/user-property-writer.js';

function encoded(...pairs: readonly (readonly [string, string])[]): Buffer {
  const strings = pairs.map((pair) =>
    pair.map((text) => {
      const bytes = Buffer.from(text);
      return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
    }),
  );
  return Buffer.concat(strings.flatMap((pair) => [Buffer.from([0x26]), ...pair]));
}

describe('a writer of user properties', () => {
  it.each([
    ['short and ASCII', 'q-id', 'AAAAAAAAAAAA00000001'],
    ['empty', '', ''],
    ['as long as a short one may be', 'x'.repeat(48), 'y'.repeat(48)],
    ['longer', 'x'.repeat(49), 'y'.repeat(5000)],
    ['not ASCII from some place on', 'grün', 'abc\u{1f600}'],
    ['the last of ASCII and the first beyond', '\x7f', '\x80'],
  ])('writes strings that are %s', (_, name, value) => {
    const writer = new UserPropertyWriter();
    writer.add('before', '1');
    writer.add(name, value);
    writer.add('behind', '2');
    expect(writer.bytes).toEqual(encoded(['before', '1'], [name, value], ['behind', '2']));
  });

  // [MQTT-1.5.4-2]
  it('replaces U+0000', () => {
    const writer = new UserPropertyWriter();
    writer.add('a\0', '\0b');
    expect(writer.bytes).toEqual(encoded(['a\ufffd', '\ufffdb']));
  });

  it('leaves out a pair of which one is longer than a string may be', () => {
    const writer = new UserPropertyWriter();
    writer.add('a', '1');
    writer.add('short', 'x'.repeat(65_536));
    writer.add('b', '2');
    expect(writer.bytes).toEqual(encoded(['a', '1'], ['b', '2']));
  });
});
