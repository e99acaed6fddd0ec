import { describe, expect, it } from 'vitest';
import { matchPatterns } from '../../conformance/corpus/byte-pattern.js';
import { parseCases } from '../../conformance/corpus/case-parser.js';

/** The one expectation of a case. */
function patternsOf(notation: string) {
  const { cases, errors } = parseCases('x.cases', `5 none a title | < ${notation}`);
  expect(errors).toEqual([]);
  const step = cases[0]?.steps[0];
  if (step?.kind !== 'expect') throw new TypeError('not an expectation');
  return step.patterns;
}

function match(notation: string, actual: string) {
  return matchPatterns(patternsOf(notation), Buffer.from(actual.replaceAll(' ', ''), 'hex'), 0);
}

describe('bytes that are expected', () => {
  it.each([
    ['20 02 00 01', '20 02 00 01', 4],
    ['20 02', '20 02 00 01', 2],
    ['20 ( 00 .. )', '20 02 00 99', 4],
    ['20 ( 00 81 ** )', '20 02 00 81', 4],
    ['20 ( 00 81 ** ) d000', '20 04 00 81 01 00 d0 00', 8],
    ["30 ( 't' () ** )", '30 06 00 01 74 00 78 79', 8],
    ['30 ( [ 61*200 ] )', `30 ca01 00c8 ${'61'.repeat(200)}`, 205],
    ['20 ( 12 [ ** ] ( ** ) 01 )', '20 08 12 0002 6161 01 77 01', 10],
  ])('%s are found in %s', (notation, actual, end) => {
    expect(match(notation, actual)).toEqual({ kind: 'matched', end });
  });

  it.each([
    ['20 02', ''],
    ['20 02', '20'],
    ['20 ( 00 81 ** )', '20'],
    ['20 ( 00 81 ** )', '20 ff'],
    ['20 ( 00 81 ** )', '20 04 00 81'],
    ['20 ( 00 .. )', '20 02 00'],
    ["( 't' )", '03 00'],
  ])('%s can still follow on %s', (notation, actual) => {
    expect(match(notation, actual)).toEqual({ kind: 'incomplete' });
  });

  it.each([
    ['20 02', '20 03', 1, '02'],
    ['20 ( 00 81 ** )', '20 02 00 82', 3, '81'],
    ['20 ( 00 81 )', '20 03 00 81 00', 4, 'the end of the group'],
    ['20 ( 00 81 00 )', '20 02 00 81', 4, '00'],
    ['20 ( 00 .. )', '20 01 00', 3, '..'],
    ["20 ( 'abc' )", '20 04 0003 6162', 2, 'a length that fits'],
    ['20 ( [ ** ] )', '20 01 00', 2, 'a length'],
  ])('%s are not %s', (notation, actual, offset, expected) => {
    expect(match(notation, actual)).toEqual({ kind: 'mismatch', offset, expected });
  });

  it.each(['20 82 00 00 00', '20 82 80 00 00 00', '20 80 80 80 80 01'])(
    'are not found where the length of their group is not the shortest: %s',
    (actual) => {
      expect(match('20 ( ** )', actual)).toEqual({ kind: 'mismatch', offset: 1, expected: 'a length' });
    },
  );
});
