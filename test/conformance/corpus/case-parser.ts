/**
 * Reads a file of byte cases: definitions of macros and, line by line,
 *
 *   <versions> <claims> <title> | {limits} <steps>
 *
 * One case becomes one test for each of its versions.
 */
import { type BrokerLimits, DEFAULT_LIMITS } from '../../../src/broker/broker-options.js';
import { CaseError, type CaseSource, sourcesOf } from './case-source.js';
import { type Claim, readClaim } from './claim.js';
import { MacroTable } from './macro-table.js';
import type { Version } from './statement-list.js';
import type { Step } from './step.js';
import { parseSteps } from './step-parser.js';
import { tokensOf } from './tokens.js';

export interface ByteCase {
  readonly version: Version;
  readonly claims: readonly Claim[];
  readonly title: string;
  readonly limits: Partial<BrokerLimits>;
  readonly steps: readonly Step[];
  /** `file:line:column` of its line. */
  readonly place: string;
}

export interface ParsedFile {
  readonly cases: readonly ByteCase[];
  /** One for each line that could not be read. */
  readonly errors: readonly CaseError[];
  readonly macros: MacroTable;
}

const HEAD = /^([345](?:,[345])*)(\s+)(\S+)\s+([^|]*?)\s*\|/;
const LIMITS = /\s*\{([^}]*)\}/y;
const NO_CLAIMS = 'none';

/** @param inherited macros of a shared file */
export function parseCases(file: string, text: string, inherited?: MacroTable): ParsedFile {
  const macros = new MacroTable(inherited);
  const cases: ByteCase[] = [];
  const errors: CaseError[] = [];
  for (const source of sourcesOf(file, text)) {
    try {
      if (source.text.startsWith('$')) macros.define(source);
      else cases.push(...parseLine(source, macros));
    } catch (error) {
      if (!(error instanceof CaseError)) throw error;
      errors.push(error);
    }
  }
  return { cases, errors, macros };
}

function parseLine(source: CaseSource, macros: MacroTable): ByteCase[] {
  const head = HEAD.exec(source.text);
  if (head === null) throw source.errorAt(0, 'a case is <versions> <statements> <title> | <steps>');
  const [{ length }, versions = '', space = '', claims = '', title = ''] = head;
  const claimsAt = versions.length + space.length;
  if (title === '') throw source.errorAt(claimsAt + claims.length, 'a case has a title');
  const [limits, stepsAt] = parseLimits(source, length);
  const tokens = tokensOf(source, stepsAt);
  if (tokens.length === 0) throw source.errorAt(length, 'a case has steps');
  return versions.split(',').map((digit) => {
    const version = Number(digit) as Version;
    return {
      version,
      claims: parseClaims(source, claims, claimsAt, version),
      title,
      limits,
      steps: parseSteps(macros.expand(tokens, version)),
      place: source.placeOf(0),
    };
  });
}

/** `MQTT-3.1.0-1+` is claimed for every version of the case, `5:MQTT-3.1.0-1+` for that one. */
function parseClaims(source: CaseSource, text: string, start: number, version: Version): Claim[] {
  if (text === NO_CLAIMS) return [];
  const claims: Claim[] = [];
  let at = start;
  for (const part of text.split(',')) {
    const [, only, marked = ''] = /^(?:([345]):)?(.*)$/.exec(part) ?? [];
    if (only === undefined || Number(only) === version) {
      const claim = readClaim(marked, version);
      if (typeof claim === 'string') throw source.errorAt(at, claim);
      claims.push(claim);
    }
    at += part.length + 1;
  }
  return claims;
}

/** `{maximumPacketSize: 1000, queueOverflow: drop-oldest}` */
function parseLimits(source: CaseSource, start: number): [limits: Partial<BrokerLimits>, end: number] {
  LIMITS.lastIndex = start;
  const match = LIMITS.exec(source.text);
  if (match === null) return [{}, start];
  const entries = (match[1] ?? '').split(',').map((entry) => {
    const [key = '', value = ''] = entry.split(':').map((part) => part.trim());
    const usual = (DEFAULT_LIMITS as unknown as Record<string, unknown>)[key];
    if (usual === undefined) throw source.errorAt(start, `the broker has no limit ${key}`);
    const isNumber = /^\d+$/.test(value);
    if (value === '' || isNumber !== (typeof usual === 'number')) {
      throw source.errorAt(start, `${key}: ${value} is not of the kind of ${usual}`);
    }
    return [key, isNumber ? Number(value) : value];
  });
  return [Object.fromEntries(entries), LIMITS.lastIndex];
}
