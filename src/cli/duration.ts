/**
 * Durations as people write them: `10s`, `200ms`, `7d`, `1h30m`; a bare number is seconds. Used by the configuration
 * only; a parsed duration is a number of seconds with at most three decimals.
 */
const UNIT_MS: Readonly<Record<string, number>> = {
  w: 7 * 24 * 3_600_000,
  d: 24 * 3_600_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

const PART = '[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d|w)';

/** What a duration may look like as text; also the pattern in the JSON Schema. */
export const DURATION_PATTERN = `^([0-9]+(\\.[0-9]+)?|${PART}( ?${PART})*)$`;

const DURATION = new RegExp(DURATION_PATTERN);

/** @returns seconds, or undefined if `value` is not a duration or not a whole number of milliseconds */
export function parseDuration(value: number | string): number | undefined {
  const milliseconds = typeof value === 'number' ? value * 1000 : millisecondsOfText(value);
  // 0.2 s is 200.00000000000003 ms in binary: what is a millionth off is meant to be whole.
  const whole = Math.round(milliseconds);
  const exact = Math.abs(milliseconds - whole) < 1e-6 && Number.isSafeInteger(whole) && whole >= 0;
  return exact ? whole / 1000 : undefined;
}

function millisecondsOfText(text: string): number {
  if (!DURATION.test(text)) return Number.NaN;
  let sum = 0;
  for (const [, amount = '', unit = 's'] of text.matchAll(/([0-9.]+) ?([a-z]+)?/g)) {
    sum += Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  }
  return sum;
}

/** The shortest exact form in one unit: `7d`, `90s`, `200ms`, `0s`. `parseDuration` reads it back to the same number. */
export function formatDuration(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  if (milliseconds === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's']) {
    const factor = UNIT_MS[unit] ?? 1;
    if (milliseconds % factor === 0) return `${milliseconds / factor}${unit}`;
  }
  return `${milliseconds}ms`;
}
