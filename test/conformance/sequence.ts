/**
 * A test of statements that bytes alone cannot say handily: several clients, time, restarts, many messages. It is
 * registered once for each version, with what it claims to show.
 */
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { TestBroker, type TestBrokerOptions } from '../support/test-broker.js';
import { type Claim, readClaim } from './corpus/claim.js';
import { type Version, versionName } from './corpus/statement-list.js';

export interface SequenceOptions<V extends Version> {
  readonly versions: readonly V[];
  readonly title: string;
  /** Statements with their marks, `MQTT-3.1.4-3+`: the same for all versions, or those of each. */
  readonly shows: readonly string[] | Readonly<Record<V, readonly string[]>>;
  readonly broker?: TestBrokerOptions;
}

export interface SequenceScope<V extends Version> {
  readonly test: TestBroker;
  readonly version: V;
}

/** @throws if a statement is unknown, before any test is run */
export function sequence<const V extends Version>(
  options: SequenceOptions<V>,
  play: (scope: SequenceScope<V>) => Promise<void>,
): void {
  const file = basename(expect.getState().testPath ?? '');
  const { title, shows } = options;
  for (const version of options.versions) {
    const texts = isList(shows) ? shows : shows[version];
    const claims = texts.map((text) => claimOf(text, version, title));
    const meta = { conformance: { version, title, file, claims } };
    it(`${versionName(version)}: ${title}`, { meta }, async () => {
      await play({ test: await TestBroker.start(options.broker), version });
    });
  }
}

function isList<T>(shows: readonly string[] | T): shows is readonly string[] {
  return Array.isArray(shows);
}

function claimOf(text: string, version: Version, title: string): Claim {
  const claim = readClaim(text, version);
  if (typeof claim === 'string') throw new Error(`${title}: ${claim}`);
  return claim;
}
