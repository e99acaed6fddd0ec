/** How much the attacks shall do, and whether they tell what they measured. */
const { MILLRACE_LONG, MILLRACE_FIGURES, MILLRACE_FUZZ_SEED } = process.env;

/** The heavier forms: minutes instead of seconds. */
export const IS_LONG = MILLRACE_LONG === '1';

/** Run this case of the fuzzing alone. */
export const FUZZ_SEED = MILLRACE_FUZZ_SEED;

/** Writes what was measured to standard output, if MILLRACE_FIGURES=1. */
export function figure(...parts: unknown[]): void {
  if (MILLRACE_FIGURES === '1') process.stdout.write(`${parts.join(' ')}\n`);
}
