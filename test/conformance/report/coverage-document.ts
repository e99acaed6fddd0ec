/** The table of statements as a page: the same for the same tests, whatever the order in which they ended. */
import { type StatedVersion, versionName } from '../corpus/statement-list.js';
import { lackOf, type StatementCoverage, summaryOf } from './coverage.js';

const INTRODUCTION = `# Conformance

Every numbered statement of the specifications, in our own words, with the number of tests that show it: **+** for what is
demanded or allowed and happens, **−** for what is forbidden and refused, or does not happen. Written by \`npm run conformance\`;
the tests are in [test/conformance](../test/conformance/README.md).
`;

export type Coverages = ReadonlyMap<StatedVersion, readonly StatementCoverage[]>;

export function coverageDocument(coverages: Coverages): string {
  const summaries = [...coverages].map(([version, coverage]) => `- ${versionName(version)}: ${summaryOf(coverage)}.`);
  const sections = [...coverages].map(([version, coverage]) => sectionOf(version, coverage));
  return `${[INTRODUCTION, `${summaries.join('\n')}\n`, ...sections].join('\n')}`;
}

function sectionOf(version: StatedVersion, coverage: readonly StatementCoverage[]): string {
  const ours = coverage.filter(({ verdict }) => verdict !== 'client' && verdict !== 'moot');
  const moot = coverage.filter(({ verdict }) => verdict === 'moot');
  const clients = coverage.filter(({ verdict }) => verdict === 'client');
  const name = versionName(version);
  return [
    `## ${name}\n`,
    tableOf(['Statement', 'What it says', '+', '−', 'Shown in'], ours.map(shownRow)),
    `### ${name}: what cannot arise\n`,
    tableOf(
      ['Statement', 'What it says', 'Why'],
      moot.map(({ statement }) => [statement.id, statement.paraphrase, statement.moot]),
    ),
    `### ${name}: the client's matter\n`,
    tableOf(
      ['Statement', 'What it says'],
      clients.map(({ statement }) => [statement.id, statement.paraphrase]),
    ),
  ].join('\n');
}

function shownRow(entry: StatementCoverage): string[] {
  const { statement, positive, negative } = entry;
  const lack = lackOf(entry);
  const says = lack === '' ? statement.paraphrase : `${statement.paraphrase} (${lack})`;
  const files = [...new Set([...positive, ...negative].map(({ file }) => file))].sort();
  return [statement.id, says, String(positive.length), String(negative.length), files.join(', ')];
}

function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const ruler = heads.map(() => '---');
  const lines = [heads, ruler, ...rows.map((row) => row.map(escapeMarkdown))].map((row) => `| ${row.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_<>#`|]/g, '\\$&');
}
