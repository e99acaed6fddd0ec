// Writes helm/values.schema.json: the schema of the chart's own values with that of the broker's configuration under
// `config`, so that Helm refuses what the broker would refuse. Needs a build: `npm run build` first.
import { readFileSync, writeFileSync } from 'node:fs';
import { settingTree } from '../dist/cli/setting-tree.js';

const chart = new URL('../helm/', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('values.chart.schema.json', chart), 'utf8'));

/** A ConfigMap is no place for a secret: the chart has values of its own for them, and the environment. */
function withoutSecrets(node) {
  if (Array.isArray(node)) return node.map(withoutSecrets);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([, child]) => child?.['x-secret'] !== true);
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutSecrets(child)]));
}

const { $schema: _, ...config } = settingTree();
schema.properties.config = withoutSecrets(config);
writeFileSync(new URL('values.schema.json', chart), `${JSON.stringify(schema, null, 1)}\n`);
