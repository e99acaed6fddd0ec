/**
 * Points in time as people write them: `2026-03-01`, `2026-03-01T12:00`, `2026-03-01 12:00:30.5+01:00`, or how long ago: `2h`, `1h30m ago`.
 * Without a time zone it is UTC, as in what is printed.
 */
import { z } from 'zod';
import { parseDuration } from './duration.js';

export const EXPECTED_TIME = 'expected a time such as 2026-03-01T12:00 (UTC), or how long ago, such as 2h';

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/i;
const AGO = /^(.*[a-z])( ago)?$/;

/** Knows how many days each month has; `Date` does not mind. */
const calendar = z.iso.datetime({ offset: true });

/** @returns ms since the epoch, or undefined if `text` is no such time */
export function parsePointInTime(text: string, nowMs: number): number | undefined {
  const [, day, minute = '00:00', second = ':00', zone = 'Z'] = DATE.exec(text) ?? [];
  if (day !== undefined) {
    const known = calendar.safeParse(`${day}T${minute}${second}${zone.toUpperCase()}`);
    return known.success ? Date.parse(known.data) : undefined;
  }
  // A bare number would be taken for seconds, and was rather meant for a year.
  const [, ago] = AGO.exec(text) ?? [];
  const seconds = ago === undefined ? undefined : parseDuration(ago.replace(/ ago$/, ''));
  return seconds === undefined ? undefined : Math.max(0, nowMs - seconds * 1000);
}
