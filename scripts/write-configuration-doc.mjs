// Writes the reference tables of docs/configuration.md from the schema. Needs a build: `npm run build` first.
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTables } from '../dist/cli/configuration-tables.js';

const BEGIN = '<!-- tables: begin (npm run build && node scripts/write-configuration-doc.mjs) -->\n';
const END = '<!-- tables: end -->\n';

const file = new URL('../docs/configuration.md', import.meta.url);
const text = readFileSync(file, 'utf8');
const begin = text.indexOf(BEGIN);
const end = text.indexOf(END);
if (begin === -1 || end < begin) {
  console.error('docs/configuration.md has lost the comments around its tables');
  process.exit(1);
}
writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n${configurationTables()}\n${text.slice(end)}`);
