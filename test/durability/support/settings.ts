/** How much the proofs of durability shall do, and with which choices. */
const { MILLRACE_LONG, MILLRACE_ROUNDS, MILLRACE_SEED, MILLRACE_FIGURES } = process.env;

/** Minutes instead of seconds. */
export const IS_LONG = MILLRACE_LONG === '1';

/** How many times the broker is killed. */
export function roundsOf(short: number, long: number): number {
  return MILLRACE_ROUNDS === undefined ? (IS_LONG ? long : short) : Number(MILLRACE_ROUNDS);
}

/** Another one in each run, so that over time more cases are seen; a failure names it. */
export const SEED = MILLRACE_SEED === undefined ? Date.now() % 1_000_000_000 : Number(MILLRACE_SEED);

/** Writes what happened to standard output, if MILLRACE_FIGURES=1. */
export function figure(...parts: unknown[]): void {
  if (MILLRACE_FIGURES === '1') process.stdout.write(`${parts.join(' ')}\n`);
}

/** The title of a group of tests that may be skipped on this machine; then it says why, on standard output too. */
export function titleOf(name: string, obstacle: string | undefined): string {
  if (obstacle === undefined) return name;
  process.stdout.write(`skipped: ${name}: ${obstacle}\n`);
  return `${name}, skipped: ${obstacle}`;
}
