/** The table of statements for a terminal. */
import { type StatedVersion, versionName } from '../corpus/statement-list.js';
import { lackOf, type StatementCoverage } from './coverage.js';

const PARAPHRASE_WIDTH = 72;

export function coverageTable(version: StatedVersion, coverage: readonly StatementCoverage[]): string {
  const lines = coverage.map((entry) => {
    const { statement, positive, negative, verdict } = entry;
    const lack = lackOf(entry);
    const result = lack === '' ? verdict : `${verdict}: ${lack}`;
    const counts = `${count(positive.length)}${count(negative.length)}`;
    return `${statement.id.padEnd(15)} ${shorten(statement.paraphrase)} ${counts}  ${result}`;
  });
  const head = `${versionName(version).padEnd(15)} ${'what it says'.padEnd(PARAPHRASE_WIDTH)}    +    -  result`;
  return [head, ...lines].join('\n');
}

function count(value: number): string {
  return String(value).padStart(5);
}

function shorten(text: string): string {
  const shown = text.length > PARAPHRASE_WIDTH ? `${text.slice(0, PARAPHRASE_WIDTH - 1)}…` : text;
  return shown.padEnd(PARAPHRASE_WIDTH);
}
