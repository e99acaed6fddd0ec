import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { configurationTables } from '../../../src/cli/configuration-tables.js';
import { eachSetting, findNode, settingTree } from '../../../src/cli/setting-tree.js';

const document = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

describe('docs/configuration.md', () => {
  test('has the tables of this version; else run node scripts/write-configuration-doc.mjs', () => {
    expect(document).toContain(`-->\n\n${configurationTables()}\n<!-- tables: end -->`);
  });

  test('shows an example that is right', () => {
    const example = /```yaml\n(.*?)```/s.exec(document)?.[1] ?? '';
    expect(settingsSchema.parse(parse(example)).listeners).toMatchObject({
      gateway: { kind: 'tcp', port: 1884, maxConnections: 500 },
    });
  });
});

describe('the JSON Schema', () => {
  test('describes every setting, and gives the reason for every default', () => {
    const silent = [...eachSetting(settingTree())].filter(({ node }) => (node.description ?? '').length < 20);
    expect(silent).toEqual([]);
    const exempt = new Set(['kind', 'port']);
    const unreasoned = [...eachSetting(settingTree())]
      .filter(({ path, node }) => !exempt.has(path.at(-1) ?? '') && !node.description?.includes('Default: '))
      .map(({ path }) => path.join('.'));
    expect(unreasoned).toEqual([]);
  });

  test('allows no unknown setting in any section but names of listeners and queues', () => {
    const { properties = {}, additionalProperties } = settingTree();
    expect(additionalProperties).toBe(false);
    for (const [name, section] of Object.entries(properties)) {
      if (name !== 'listeners' && name !== 'queues') expect(section.additionalProperties).toBe(false);
    }
    expect(properties).toMatchObject({ listeners: { additionalProperties: { required: ['kind', 'port'] } } });
  });

  test('has the range and the default of a size, in both of its forms', () => {
    expect(findNode(settingTree(), ['mqtt', 'maxPacketSize'])).toMatchObject({
      default: '1MiB',
      'x-unit': 'bytes',
      anyOf: [
        { type: 'number', minimum: 256, maximum: 268_435_456 },
        { type: 'string', pattern: expect.any(String) },
      ],
    });
  });
});
