/**
 * The normative statements of MQTT 5 and 3.1.1, in our own words, from the tables under `statements`. An identifier means
 * something else in each version, so a statement is looked up by version and identifier.
 */
import { readFileSync } from 'node:fs';

export type Version = 3 | 4 | 5;

/** The versions that number their statements. MQTT 3.1 does not; it borrows the numbers of 3.1.1. */
export const STATED_VERSIONS = [5, 4] as const;
export type StatedVersion = (typeof STATED_VERSIONS)[number];

export interface Statement {
  readonly id: string;
  /** Whose behaviour it is about. */
  readonly who: 'client' | 'server' | 'both';
  readonly paraphrase: string;
  readonly isServerSide: boolean;
  /** It forbids something or demands an error: what is forbidden can be tried. */
  readonly forbids: boolean;
  /** Why it cannot arise in this broker; empty for most. */
  readonly moot: string;
}

const FILES: Readonly<Record<StatedVersion, string>> = { 4: 'mqtt311.tsv', 5: 'mqtt5.tsv' };

const lists = new Map(STATED_VERSIONS.map((version) => [version, readList(version)]));

/** In the order of the specification. */
export function statementsOf(version: StatedVersion): readonly Statement[] {
  return [...(lists.get(version)?.values() ?? [])];
}

export function findStatement(version: Version, id: string): Statement | undefined {
  return lists.get(version === 5 ? 5 : 4)?.get(id);
}

/** As people call it. */
export function versionName(version: Version): string {
  return { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' }[version];
}

function readList(version: StatedVersion): Map<string, Statement> {
  const text = readFileSync(new URL(`../statements/${FILES[version]}`, import.meta.url), 'utf8');
  const [, ...lines] = text.trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [id = '', who = '', paraphrase = '', isServerSide, forbids, moot = ''] = line.split('\t');
      const statement = { id, who: who as Statement['who'], paraphrase, moot };
      return [id, { ...statement, isServerSide: isServerSide === 'Y', forbids: forbids === 'Y' }];
    }),
  );
}
