/**
 * What a test claims to show: `MQTT-3.1.0-2-` is the negative of the statement MQTT-3.1.0-2. The claims travel to the
 * reporter as the test's meta data.
 */
import { findStatement, type Version } from './statement-list.js';

export type Polarity = '+' | '-';

export interface Claim {
  readonly id: string;
  /** `+`: what is demanded or allowed happens. `-`: what is forbidden is tried, or must not be seen. */
  readonly polarity: Polarity;
}

/** What the reporter is told about one test. */
export interface Claims {
  readonly version: Version;
  readonly title: string;
  /** The file that holds the test, by its name. */
  readonly file: string;
  readonly claims: readonly Claim[];
}

declare module 'vitest' {
  interface TaskMeta {
    conformance?: Claims;
  }
}

/**
 * @param text an identifier with its mark
 * @returns the claim, or what is wrong with it
 */
export function readClaim(text: string, version: Version): Claim | string {
  const match = /^(.+)([+-])$/.exec(text);
  if (match === null) return `${text}: a statement ends in + or -`;
  const [, id = '', polarity] = match;
  // Without the mark MQTT-3.1.0-2 would be read as the negative of something that does not exist.
  if (findStatement(version, id) === undefined) return `${text}: MQTT version ${version} has no statement ${id}`;
  return { id, polarity: polarity as Polarity };
}

/** The statements in words, for whoever reads a failure. */
export function describeClaims(version: Version, claims: readonly Claim[]): string {
  return claims.map(({ id, polarity }) => `${id} (${polarity}) ${findStatement(version, id)?.paraphrase}`).join('\n');
}
