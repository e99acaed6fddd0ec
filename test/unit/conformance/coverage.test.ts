import { describe, expect, it } from 'vitest';
import type { Claim, Polarity } from '../../conformance/corpus/claim.js';
import { findStatement, STATED_VERSIONS, statementsOf, type Version } from '../../conformance/corpus/statement-list.js';
import { coverageOf, lackOf, summaryOf, type TestResult } from '../../conformance/report/coverage.js';

const FORBIDDING = 'MQTT-3.1.2-3';
const DEMANDING = 'MQTT-3.12.4-1';
const MOOT = 'MQTT-3.2.2-9';
const CLIENTS = 'MQTT-3.1.2-20';

function result(id: string, polarity: Polarity, version: Version = 5, hasPassed = true): TestResult {
  const claim: Claim = { id, polarity };
  return { version, title: 'a title', file: 'x.cases', claims: [claim], hasPassed };
}

/** The verdict on a statement of MQTT 5, and what it lacks. */
function judge(id: string, ...results: readonly TestResult[]): string[] {
  const entry = coverageOf(5, results).find(({ statement }) => statement.id === id);
  if (entry === undefined) throw new TypeError(id);
  return [entry.verdict, lackOf(entry)];
}

describe('the lists of statements', () => {
  it('are whole', () => {
    expect(STATED_VERSIONS.map((version) => statementsOf(version).length)).toEqual([251, 141]);
    for (const statement of STATED_VERSIONS.flatMap(statementsOf)) {
      expect(statement).toMatchObject({
        id: expect.stringMatching(/^MQTT-\d+\.\d+(\.\d+)?-\d+$/),
        who: expect.stringMatching(/^(client|server|both)$/),
        paraphrase: expect.stringMatching(/./),
      });
    }
  });

  it('lend the statements of 3.1.1 to MQTT 3.1', () => {
    expect(findStatement(3, 'MQTT-3.1.2-22')).toBe(findStatement(4, 'MQTT-3.1.2-22'));
  });
});

describe('a statement', () => {
  it('that forbids is shown by a positive and a negative test', () => {
    expect(judge(FORBIDDING)).toEqual(['missing', 'no positive case, no negative case']);
    expect(judge(FORBIDDING, result(FORBIDDING, '+'))).toEqual(['missing', 'no negative case']);
    expect(judge(FORBIDDING, result(FORBIDDING, '-'))).toEqual(['missing', 'no positive case']);
    expect(judge(FORBIDDING, result(FORBIDDING, '+'), result(FORBIDDING, '-'))).toEqual(['shown', '']);
  });

  it('that only demands is shown by a positive test', () => {
    expect(judge(DEMANDING, result(DEMANDING, '+'))).toEqual(['shown', '']);
    expect(judge(DEMANDING, result(DEMANDING, '-'))).toEqual(['missing', 'no positive case']);
  });

  it('is not shown by a test of another version or of another statement', () => {
    expect(judge(DEMANDING, result(DEMANDING, '+', 4), result(DEMANDING, '+', 3))[0]).toBe('missing');
    expect(judge(DEMANDING, result('MQTT-3.12.4-10', '+'))[0]).toBe('missing');
  });

  it('is not shown as long as one of its tests fails', () => {
    expect(judge(DEMANDING, result(DEMANDING, '+'), result(DEMANDING, '+', 5, false))[0]).toBe('failed');
  });

  it("needs no test if it cannot arise or is the client's matter", () => {
    expect(judge(MOOT)).toEqual(['moot', '']);
    expect(judge(CLIENTS)).toEqual(['client', '']);
  });
});

it('the summary counts what is needed', () => {
  const coverage = coverageOf(5, [result(DEMANDING, '+')]);
  const moot = coverage.filter(({ verdict }) => verdict === 'moot').length;
  expect(summaryOf(coverage)).toBe(
    `1 of ${225 - moot} statements of the server's shown (${moot} cannot arise, 26 are the client's matter)`,
  );
});
