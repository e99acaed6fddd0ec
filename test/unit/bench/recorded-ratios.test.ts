import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecordedRatios, writeRecordedRatios } from '../../../bench/check/recorded-ratios.js';

const directory = mkdtempSync(join(tmpdir(), 'millrace-ratios-'));
const file = join(directory, 'ratios.json');
const recorded = {
  peer: 'aedes',
  machine: 'a machine',
  date: '2026-01-01',
  ratios: [{ name: 'fan-in QoS 0', timesPeer: 50 }],
};

afterAll(() => rmSync(directory, { recursive: true }));

describe('recorded ratios', () => {
  it('are read as they were written', () => {
    writeRecordedRatios(file, recorded);
    expect(readRecordedRatios(file, 'aedes')).toEqual(recorded);
  });

  it('that are not there are asked for', () => {
    expect(() => readRecordedRatios(join(directory, 'none.json'), 'aedes')).toThrow(
      /none\.json is not there.*--record/,
    );
  });

  it.each([
    ['{"peer": "aedes", "mach', /ratios\.json is no JSON: .*--record/],
    ['', /is no JSON/],
    ['null', /expected an object/],
    [JSON.stringify({ ...recorded, peer: 'mosquitto' }), /expected ratios to the peer aedes/],
    [JSON.stringify({ ...recorded, date: undefined }), /date is missing/],
    [JSON.stringify({ ...recorded, ratios: [] }), /there are no ratios in it/],
    [
      JSON.stringify({ ...recorded, ratios: [...recorded.ratios, { name: 'x' }] }),
      /ratio 2 is not a name with a number/,
    ],
    [JSON.stringify({ ...recorded, ratios: [{ name: 'x', timesPeer: 0 }] }), /ratio 1 is not/],
  ])('that are damaged are refused: %s', (text, reason) => {
    writeFileSync(file, text);
    expect(() => readRecordedRatios(file, 'aedes')).toThrow(reason);
  });
});
