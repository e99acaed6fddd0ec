/** Which statement is shown by which tests, and how they went. */
import type { Claims, Polarity } from '../corpus/claim.js';
import { type StatedVersion, type Statement, statementsOf, type Version } from '../corpus/statement-list.js';

export interface TestResult extends Claims {
  readonly hasPassed: boolean;
}

/**
 * `shown`: by all that it needs. `missing`: something has yet to be shown. `failed`: a test that claims it failed.
 * The last two need no test.
 */
export type Verdict = 'shown' | 'missing' | 'failed' | 'moot' | 'client';

export interface StatementCoverage {
  readonly statement: Statement;
  readonly positive: readonly TestResult[];
  readonly negative: readonly TestResult[];
  /** Those of MQTT 3.1, which borrows the statement: they do not count. */
  readonly borrowed: readonly TestResult[];
  readonly verdict: Verdict;
}

export function coverageOf(version: StatedVersion, results: readonly TestResult[]): StatementCoverage[] {
  return statementsOf(version).map((statement) => {
    const positive = claiming(results, version, statement.id, '+');
    const negative = claiming(results, version, statement.id, '-');
    const borrowed =
      version === 4
        ? [...new Set([...claiming(results, 3, statement.id, '+'), ...claiming(results, 3, statement.id, '-')])]
        : [];
    return { statement, positive, negative, borrowed, verdict: verdictOf(statement, positive, negative) };
  });
}

/** What the statement lacks, in words; empty if it is shown or needs nothing. */
export function lackOf({ statement, positive, negative, verdict }: StatementCoverage): string {
  if (verdict === 'failed') return 'a test that claims it failed';
  if (verdict !== 'missing') return '';
  const lacks = [];
  if (positive.length === 0) lacks.push('no positive case');
  if (statement.forbids && negative.length === 0) lacks.push('no negative case');
  return lacks.join(', ');
}

/** `N of M statements of the server's shown`, and how many need nothing. */
export function summaryOf(coverage: readonly StatementCoverage[]): string {
  const count = (verdict: Verdict) => coverage.filter((entry) => entry.verdict === verdict).length;
  const needed = coverage.length - count('client') - count('moot');
  const others = `${count('moot')} cannot arise, ${count('client')} are the client's matter`;
  return `${count('shown')} of ${needed} statements of the server's shown (${others})`;
}

function verdictOf(statement: Statement, positive: readonly TestResult[], negative: readonly TestResult[]): Verdict {
  if ([...positive, ...negative].some(({ hasPassed }) => !hasPassed)) return 'failed';
  if (!statement.isServerSide) return 'client';
  if (statement.moot !== '') return 'moot';
  return positive.length > 0 && (negative.length > 0 || !statement.forbids) ? 'shown' : 'missing';
}

function claiming(results: readonly TestResult[], version: Version, id: string, polarity: Polarity): TestResult[] {
  return results.filter(
    (result) =>
      result.version === version && result.claims.some((claim) => claim.id === id && claim.polarity === polarity),
  );
}
