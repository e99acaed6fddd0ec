import { expect, it } from 'vitest';
import { saslprep, UnpreparedText } from '../../../src/auth/saslprep.js';

it.each([
  ['I\u00adX', 'IX', 'the examples of RFC 4013 section 3'],
  ['user', 'user', ''],
  ['USER', 'USER', ''],
  ['\u00aa', 'a', ''],
  ['\u2168', 'IX', ''],
  ['a\u00a0b\u3000c', 'a b c', 'spaces of other kinds'],
  ['zero\ufeffwidth', 'zerowidth', 'mapped to nothing'],
  ['e\u0301', '\u00e9', 'composed'],
  ['\u0627\u0628', '\u0627\u0628', 'right to left'],
  ['\u0627 1 \u0628', '\u0627 1 \u0628', 'digits between letters from right to left'],
  ['\u{1f511}', '\u{1f511}', 'younger than Unicode 3.2'],
])('prepares %j as %j', (text, prepared) => {
  expect(saslprep(text, 'stored')).toBe(prepared);
  expect(saslprep(text, 'query')).toBe(prepared);
});

it.each([
  ['\u0007', 'must not contain U+0007 (RFC 4013)'],
  ['a\u0085', 'must not contain U+0085 (RFC 4013)'],
  ['\ue000', 'must not contain U+E000 (RFC 4013)'],
  ['\ufffe', 'must not contain U+FFFE (RFC 4013)'],
  ['\ud800', 'must not contain U+D800 (RFC 4013)'],
  ['\ufffd', 'must not contain U+FFFD (RFC 4013)'],
  ['\u202e', 'must not contain U+202E (RFC 4013)'],
  ['\u{e0041}', 'must not contain U+E0041 (RFC 4013)'],
  ['\u06271', 'mixes letters that run from right to left with others (RFC 3454 section 6)'],
  ['\u0627a\u0628', 'mixes letters that run from right to left with others (RFC 3454 section 6)'],
  ['', 'is empty'],
  ['\u00ad', 'is empty'],
])('refuses %j: %s', (text, reason) => {
  expect(saslprep(text, 'stored')).toEqual(new UnpreparedText(reason));
  expect(saslprep(text, 'query')).toEqual(new UnpreparedText(reason));
});

it('refuses what Unicode does not define only where it is stored', () => {
  expect(saslprep('a\u0378', 'stored')).toEqual(new UnpreparedText('must not contain U+0378 (RFC 4013)'));
  expect(saslprep('a\u0378', 'query')).toBe('a\u0378');
});
