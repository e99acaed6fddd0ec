/**
 * The time that a virtual machine's cores were ready to work and were not let, since their host did something else. No program can do
 * anything about it, and the highest percentiles of a latency hold little else where there is much of it.
 */
import { readFileSync } from 'node:fs';

/** Of all cores together, since the machine's start, in ticks. */
export interface CoreTicks {
  readonly total: number;
  readonly stolen: number;
}

/** Fields of the line `cpu` that add up to all time; those after them are parts of the first two. */
const TOTAL_FIELDS = 8;
const STOLEN_FIELD = 7;

/** @returns undefined where there is no /proc */
export function findCoreTicks(): CoreTicks | undefined {
  try {
    return readCoreTicks(readFileSync('/proc/stat', 'latin1'));
  } catch {
    return undefined;
  }
}

/** @param stat the text of /proc/stat; undefined is returned if it does not say what is asked for */
export function readCoreTicks(stat: string): CoreTicks | undefined {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').slice(0, TOTAL_FIELDS).map(Number);
  const stolen = fields?.[STOLEN_FIELD];
  if (fields === undefined || stolen === undefined) return undefined;
  return { total: fields.reduce((sum, ticks) => sum + ticks, 0), stolen };
}

/** The share of all cores' time between two moments that was stolen; undefined where it is not known. */
export function stolenShare(before: CoreTicks | undefined, after: CoreTicks | undefined): number | undefined {
  if (before === undefined || after === undefined || after.total <= before.total) return undefined;
  return (after.stolen - before.stolen) / (after.total - before.total);
}
