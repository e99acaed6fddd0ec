import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { storageSummary, storageText, storageWarnings } from '../../../src/cli/storage-summary.js';

function storageOf(storage: object) {
  return settingsSchema.parse({ storage }).storage;
}

function overrides(text: string): object[] {
  return parse(text) as object[];
}

describe('what is said about storage', () => {
  test.each<[object, string]>([
    [{}, './data (fsync)'],
    [
      { directory: '/x', durability: 'os', overrides: overrides('[{filter: a, durability: fsync}]') },
      '/x (os, 1 override)',
    ],
    [
      { overrides: overrides('[{filter: a, durability: os}, {filter: b, durability: os}]') },
      './data (fsync, 2 overrides)',
    ],
    [{ durability: 'memory' }, 'no directory (memory)'],
  ])('%j is %s', (storage, text) => {
    expect(storageText(storageSummary(storageOf(storage)))).toBe(text);
  });

  test.each<[string, object, string[]]>([
    ['nothing is lowered', { overrides: overrides('[{filter: a, durability: fsync}]') }, []],
    [
      'a topic is raised',
      { durability: 'os', overrides: overrides('[{filter: a, durability: fsync}]') },
      ['durability is os: messages acknowledged shortly before the power fails or the machine crashes are lost'],
    ],
    ['nothing is stored', { durability: 'memory' }, ['durability is memory: nothing outlives the process']],
    [
      'one topic is lowered',
      { overrides: overrides('[{filter: debug/#, durability: memory}]') },
      [
        '1 topic filter is stored with less than fsync: debug/#: memory; what is in memory is lost when the process ends',
      ],
    ],
    [
      'topics are lowered',
      { overrides: overrides('[{filter: a, durability: memory}, {filter: b, durability: os}]') },
      [
        '2 topic filters are stored with less than fsync: a: memory, b: os; what is in memory is lost when the process ends, what is not synced is lost when the power fails',
      ],
    ],
    [
      'many are',
      { overrides: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((filter) => ({ filter, durability: 'os' })) },
      [
        '7 topic filters are stored with less than fsync: a: os, b: os, c: os, d: os, e: os and 2 more; what is not synced is lost when the power fails',
      ],
    ],
  ])('when %s', (_, storage, warnings) => {
    expect(storageWarnings(storageOf(storage))).toEqual(warnings);
  });
});
