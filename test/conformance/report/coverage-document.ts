/** The table of statements as a page: the same for the same tests, whatever the order in which they ended. */
import { type StatedVersion, versionName } from '../corpus/statement-list.js';
import { lackOf, type StatementCoverage, summaryOf, type TestResult } from './coverage.js';

const INTRODUCTION = `# Conformance

Every numbered statement of the specifications, in our own words, with the tests that show it: **+** for what is demanded
or allowed and happens, **−** for what is forbidden and refused, or does not happen. Written by \`npm run conformance\`;
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
    ...ours.map(entryOf),
    `\n### ${name}: what cannot arise\n`,
    ...moot.map((entry) => `${entryOf(entry)}\n  - ${entry.statement.moot}`),
    `\n### ${name}: the client's matter\n`,
    ...clients.map(entryOf),
    '',
  ].join('\n');
}

function entryOf(entry: StatementCoverage): string {
  const { statement, positive, negative, borrowed } = entry;
  const lack = lackOf(entry);
  const lines = [
    `- **${statement.id}** ${statement.paraphrase}${lack === '' ? '' : ` — **${lack}**`}`,
    ...titlesOf('**+**', positive),
    ...titlesOf('**−**', negative),
    ...titlesOf('MQTT 3.1:', borrowed),
  ];
  return lines.join('\n');
}

function titlesOf(mark: string, results: readonly TestResult[]): string[] {
  const titles = results.map(({ title, file }) => `  - ${mark} ${escapeMarkdown(title)} (${file})`);
  return [...new Set(titles)].sort();
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_<>#`|]/g, '\\$&');
}
