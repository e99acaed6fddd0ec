import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Configuration, loadConfiguration } from '../../../src/cli/config-loader.js';
import { printConfiguration } from '../../../src/cli/config-printer.js';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { findNode, settingTree } from '../../../src/cli/setting-tree.js';
import { storageSettings, usesDirectory } from '../../../src/cli/storage-options.js';

const directory = mkdtempSync(join(tmpdir(), 'millrace-storage-'));
afterAll(() => rmSync(directory, { recursive: true }));
const FILE = join(directory, 'config.yaml');
const OVERRIDES = 'MILLRACE__STORAGE__OVERRIDES';

interface Sources {
  readonly yaml?: string;
  readonly environment?: Record<string, string>;
  readonly flags?: Record<string, string>;
}

function load({ yaml = '', environment = {}, flags = {} }: Sources): Configuration {
  writeFileSync(FILE, yaml);
  return loadConfiguration({ file: FILE, environment, flags: new Map(Object.entries(flags)) });
}

function problemsOf(sources: Sources): string[] {
  try {
    load(sources);
  } catch (error) {
    return (error as Error).message.replaceAll(`${directory}/`, '').split('\n');
  }
  return [];
}

function storageOf(storage: object) {
  return settingsSchema.parse({ storage }).storage;
}

describe('storage', () => {
  test('is on the disk, in ./data, unless set', () => {
    const { settings } = load({});
    expect(storageSettings(settings)).toEqual({
      directory: './data',
      durability: 'fsync',
      overrides: [],
      cacheBytes: 32 * 1024 * 1024,
      maximumPendingBytes: 16 * 1024 * 1024,
      minimumFreeBytes: 64 * 1024 * 1024,
      failureTimeoutMs: 30_000,
    });
    expect(settings.retained.overflow).toBe('refuse');
  });

  test('reaches the store in its units', () => {
    const yaml =
      'storage: { directory: /x, durability: os, cache: 1MiB, maxPending: 128KiB, minFree: 0, failureTimeout: 1500ms }';
    expect(storageSettings(load({ yaml }).settings)).toMatchObject({
      directory: '/x',
      durability: 'os',
      cacheBytes: 1024 * 1024,
      maximumPendingBytes: 128 * 1024,
      minimumFreeBytes: 0,
      failureTimeoutMs: 1500,
    });
  });

  test('has its directory from --data, then the environment, then the file', () => {
    const yaml = 'storage: { directory: from-file }';
    const environment = { MILLRACE__STORAGE__DIRECTORY: '2024' };
    expect(load({ yaml }).settings.storage.directory).toBe('from-file');
    expect(load({ yaml, environment }).settings.storage.directory).toBe('2024');
    expect(load({ yaml, environment, flags: { data: './here' } }).settings.storage.directory).toBe('./here');
  });

  test('opens a directory unless nothing is to outlive the process', () => {
    expect(['fsync', 'os', 'memory'].map((durability) => usesDirectory(storageOf({ durability })))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('storage.overrides', () => {
  const yaml = [
    'storage:',
    '  overrides:',
    '    - filter: debug/#',
    '      durability: memory',
    '    - { filter: "+/telemetry/#", durability: os }',
  ].join('\n');
  const fromFile = [
    { filter: 'debug/#', durability: 'memory' },
    { filter: '+/telemetry/#', durability: 'os' },
  ];

  test('keeps the order of the file', () => {
    expect(load({ yaml }).settings.storage.overrides).toEqual(fromFile);
  });

  test('with everything in it commented out is empty', () => {
    expect(load({ yaml: 'storage:\n  overrides:\n    # - filter: x\n' }).settings.storage.overrides).toEqual([]);
  });

  test.each(['[{"filter":"a/b","durability":"os"}]', '[{ filter: a/b, durability: os }]'])(
    'is read from the environment as %s, in place of the list of the file',
    (text) => {
      const { settings } = load({ yaml, environment: { [OVERRIDES]: text } });
      expect(settings.storage.overrides).toEqual([{ filter: 'a/b', durability: 'os' }]);
    },
  );

  test('can be emptied by the environment', () => {
    expect(load({ yaml, environment: { [OVERRIDES]: '[]' } }).settings.storage.overrides).toEqual([]);
  });

  test('is printed with its origin, and what is printed loads to the same list', () => {
    const ofFile = printConfiguration(load({ yaml })).replaceAll(`${directory}/`, '');
    expect(ofFile).toContain(
      '  overrides: # config.yaml:3:5\n    - filter: debug/#\n      durability: memory\n    - filter: +/telemetry/#\n',
    );
    expect(load({ yaml: ofFile }).settings.storage.overrides).toEqual(fromFile);
    const environment = { [OVERRIDES]: '[{"filter":"#","durability":"os"}]' };
    const ofEnvironment = printConfiguration(load({ yaml, environment }));
    expect(ofEnvironment).toContain(`  overrides: # environment ${OVERRIDES}\n    - filter: "#"\n`);
    expect(printConfiguration(load({}))).toContain('  overrides: [] # default\n');
  });

  test('stands in the JSON Schema with the parts of an item', () => {
    expect(findNode(settingTree(), ['storage', 'overrides'])).toMatchObject({
      type: 'array',
      default: [],
      maxItems: 1000,
      items: {
        properties: { filter: { type: 'string' }, durability: { enum: ['fsync', 'os', 'memory'] } },
        required: ['filter', 'durability'],
        additionalProperties: false,
      },
    });
  });
});

describe('a problem of storage', () => {
  const item = (text: string): string => `storage:\n  overrides:\n    - ${text}`;
  const wanted = 'expected a topic filter such as debug/#, found';

  test.each<[string, string, string]>([
    [
      'no directory',
      'storage: { directory: "" }',
      'config.yaml:1:23: storage.directory: expected the path of a directory, found ""',
    ],
    [
      'a directory that no system can have',
      'storage: { directory: "a\\0b" }',
      'config.yaml:1:23: storage.directory: expected the path of a directory, found "a\\u0000b"',
    ],
    [
      'a level that does not exist',
      'storage: { durability: disk }',
      'config.yaml:1:24: storage.durability: expected one of fsync, os, memory, found "disk"',
    ],
    [
      'a policy that does not exist',
      'retained: { overflow: drop-newest }',
      'config.yaml:1:23: retained.overflow: expected one of refuse, drop-oldest, found "drop-newest"',
    ],
    [
      'a map for the list',
      'storage: { overrides: { a: os } }',
      'config.yaml:1:23: storage.overrides: expected a list of topic filters with their durability, found a map',
    ],
    [
      'a filter without its level',
      item('debug/#'),
      'config.yaml:3:7: storage.overrides[0]: expected a map of filter and durability, found "debug/#"',
    ],
    [
      'a wildcard inside a level',
      item('{ filter: a/b#, durability: os }'),
      `config.yaml:3:17: storage.overrides[0].filter: ${wanted} "a/b#": # is not a level of its own at the end of the topic filter [MQTT-4.7.1-1]`,
    ],
    [
      'an empty filter',
      item('{ filter: "", durability: os }'),
      `config.yaml:3:17: storage.overrides[0].filter: ${wanted} "": Topic filter is empty [MQTT-4.7.3-1]`,
    ],
    [
      'a shared filter',
      item('{ filter: $share/g/a, durability: os }'),
      `config.yaml:3:17: storage.overrides[0].filter: ${wanted} "$share/g/a": topics are compared with it, and none is shared`,
    ],
    [
      'a filter that is no text',
      item('{ filter: 7, durability: os }'),
      `config.yaml:3:17: storage.overrides[0].filter: ${wanted} 7`,
    ],
    [
      'an override without a level',
      item('filter: a'),
      'config.yaml:3:7: storage.overrides[0].durability: expected one of fsync, os, memory, found nothing',
    ],
    [
      'a typing error in an override',
      item('{ filter: a, durability: os, filtre: b }'),
      'config.yaml:3:36: storage.overrides[0].filtre: unknown setting - did you mean "filter"?',
    ],
    [
      'a key twice in an override',
      item('{ filter: a, filter: b, durability: os }'),
      'config.yaml:3:20: storage.overrides[0].filter: set twice, first in line 3',
    ],
    [
      'one filter twice',
      item('{ filter: a/#, durability: os }\n    - { filter: a/#, durability: memory }'),
      'config.yaml:4:17: storage.overrides[1] has no effect: the same filter, a/#, stands in storage.overrides[0]',
    ],
    [
      'more promised for a topic than there is for any',
      'storage:\n  durability: memory\n  overrides:\n    - { filter: a, durability: fsync }\n    - { filter: b, durability: memory }',
      'config.yaml:4:32: storage.overrides[0] (a) cannot be fsync: storage.durability is memory, so no directory is opened',
    ],
    [
      'more overrides than anybody writes',
      `storage: { overrides: [${Array.from({ length: 1001 }, (_, index) => `{ filter: f${index}, durability: os }`)}] }`,
      'config.yaml:1:23: storage.overrides: expected at most 1000 topic filters with their durability, found 1001',
    ],
  ])('with %s has its place', (_, yaml, problem) => {
    expect(problemsOf({ yaml })).toEqual([problem]);
  });

  test.each<[string, string]>([
    ['[{"filter":"a#","durability":"os"}]', `storage.overrides[0].filter: ${wanted} "a#": # is not a level`],
    ['[{"filter":"a"}]', 'storage.overrides[0].durability: expected one of fsync, os, memory, found nothing'],
    ['[{"filter":"a","durability":"os","level":1}]', 'storage.overrides[0].level: unknown setting'],
    ['debug/#', 'storage.overrides: expected a list of topic filters with their durability, found "debug/#"'],
    ['', 'storage.overrides: expected a list of topic filters with their durability, found nothing'],
    ['[{', 'storage.overrides: expected a list written as JSON, found "[{"'],
    ['['.repeat(100_000), `storage.overrides: expected a list written as JSON, found "${'['.repeat(60)}"`],
  ])('in the environment names the variable: %.30s', (text, problem) => {
    expect(problemsOf({ environment: { [OVERRIDES]: text } })).toEqual([
      expect.stringContaining(`environment ${OVERRIDES}: ${problem}`),
    ]);
  });

  test('in a list of the environment is not looked for in the list of the file', () => {
    const yaml = item('{ filter: a, durability: os, extra: 1 }');
    const environment = { [OVERRIDES]: '[{"filter":"a","durability":"os","extra":1}]' };
    expect(problemsOf({ yaml, environment })).toEqual([
      'config.yaml:3:36: storage.overrides[0].extra: unknown setting',
      `environment ${OVERRIDES}: storage.overrides[0].extra: unknown setting`,
    ]);
  });

  test('is also a variable that reaches into the list', () => {
    expect(problemsOf({ environment: { [`${OVERRIDES}__0__FILTER`]: 'a' } })).toEqual([
      `environment ${OVERRIDES}__0__FILTER: unknown setting - did you mean "${OVERRIDES}"?`,
    ]);
  });

  test('does not hide those of other sections', () => {
    const yaml = `${item('{ filter: a#, durability: disk }')}\nlimits: { outboundHardLimit: 1MiB, outboundSoftLimit: 2MiB }\n`;
    expect(problemsOf({ yaml }).map((problem) => problem.split(' ')[0])).toEqual([
      'config.yaml:3:17:',
      'config.yaml:3:33:',
      'config.yaml:4:30:',
      'config.yaml:4:30:',
    ]);
  });
});
