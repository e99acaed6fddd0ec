import { describe, expect, test } from 'vitest';
import { formatByteSize, parseByteSize } from '../../../src/cli/byte-size.js';
import { formatDuration, parseDuration } from '../../../src/cli/duration.js';
import { closestName } from '../../../src/cli/suggestion.js';

describe('a size', () => {
  test.each([
    [0, 0],
    [65536, 65536],
    ['65536', 65536],
    ['512B', 512],
    ['64KB', 64_000],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1mib', 1_048_576],
    ['1.5 MiB', 1_572_864],
    ['2GB', 2_000_000_000],
    ['1TiB', 2 ** 40],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  test.each([
    '',
    'lots',
    '1M',
    '1 Mi',
    '-1',
    '-1KB',
    '1e3',
    '1.0001KB',
    '0x10',
    ' 1',
    '1  KB',
    'KB',
    '99999999TiB',
    -1,
    1.5,
    Number.NaN,
  ])('%j is none', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });

  test.each([
    [0, '0B'],
    [1000, '1000B'],
    [1536, '1536B'],
    [65536, '64KiB'],
    [1_048_576, '1MiB'],
    [1_572_864, '1536KiB'],
    [2 ** 30, '1GiB'],
  ])('%d is written %s and read back', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text);
    expect(parseByteSize(text)).toBe(bytes);
  });
});

describe('a duration', () => {
  test.each([
    [10, 10],
    ['10', 10],
    [0.2, 0.2],
    ['200ms', 0.2],
    ['10s', 10],
    ['10 s', 10],
    ['5m', 300],
    ['1.5h', 5400],
    ['1h30m', 5400],
    ['1h 30m', 5400],
    ['7d', 604_800],
    ['2w', 1_209_600],
    [0, 0],
  ])('%j is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  test.each([
    '',
    'soon',
    '-1s',
    '1y',
    '10S',
    '1s1',
    '0.1ms',
    's',
    '1..5s',
    -1,
    0.0001,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, '0s'],
    [0.2, '200ms'],
    [90, '90s'],
    [300, '5m'],
    [604_800, '7d'],
    [65_535, '65535s'],
  ])('%d is written %s and read back', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(seconds);
  });
});

describe('a suggestion', () => {
  const names = ['maxPacketSize', 'receiveMaximum', 'maxInflight'];

  test.each([
    ['maxPacketSiz', 'maxPacketSize'],
    ['max_packet_size', 'maxPacketSize'],
    ['MAXPACKETSIZE', 'maxPacketSize'],
    ['recieveMaximum', 'receiveMaximum'],
    ['inflight', 'maxInflight'],
    ['max', undefined],
    ['q', undefined],
    ['x'.repeat(1_000_000), undefined],
  ])('for %.20s is %s', (name, expected) => {
    expect(closestName(name, names)).toBe(expected);
  });
});
