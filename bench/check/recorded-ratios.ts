/** The file of ratios that `npm run bench:check` compares with: written by `--record`, and checked when it is read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { BenchFailure } from '../bench-failure.js';
import type { CostRatio } from './regression-check.js';

export interface RecordedRatios {
  readonly peer: string;
  /** What they were measured on, for people. */
  readonly machine: string;
  readonly date: string;
  readonly ratios: readonly CostRatio[];
}

const HOW_TO_RECORD = 'npm run bench:check -- --record';

/** @throws BenchFailure when there is no such file, or it is not what `writeRecordedRatios` writes for this peer */
export function readRecordedRatios(file: string, peer: string): RecordedRatios {
  const recorded = parsed(file, read(file));
  const damage = findDamage(recorded, peer);
  if (damage !== undefined) throw new BenchFailure(`${file}: ${damage}; to write it anew: ${HOW_TO_RECORD}`);
  return recorded as RecordedRatios;
}

export function writeRecordedRatios(file: string, recorded: RecordedRatios): void {
  writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new BenchFailure((error as Error).message);
    throw new BenchFailure(`${file} is not there, so there is nothing to compare with: ${HOW_TO_RECORD}`);
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BenchFailure(`${file} is no JSON: ${(error as Error).message}; to write it anew: ${HOW_TO_RECORD}`);
  }
}

/** What is wrong with it; undefined for nothing. */
function findDamage(recorded: unknown, peer: string): string | undefined {
  if (!isObject(recorded)) return 'expected an object';
  if (recorded['peer'] !== peer) return `expected ratios to the peer ${peer}`;
  for (const name of ['machine', 'date']) if (typeof recorded[name] !== 'string') return `${name} is missing`;
  const { ratios } = recorded;
  if (!Array.isArray(ratios) || ratios.length === 0) return 'there are no ratios in it';
  const wrong = ratios.findIndex((ratio: unknown) => !isRatio(ratio));
  return wrong === -1 ? undefined : `ratio ${wrong + 1} is not a name with a number above 0`;
}

function isRatio(ratio: unknown): boolean {
  if (!isObject(ratio)) return false;
  const { name, timesPeer } = ratio;
  return typeof name === 'string' && typeof timesPeer === 'number' && timesPeer > 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
