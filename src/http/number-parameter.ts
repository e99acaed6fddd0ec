import { z } from 'zod';

/** A whole number in a query. */
export function numberParameter(least: number, most: number, otherwise: number) {
  const wanted = { error: `expected a whole number from ${least} to ${most}` };
  return z
    .string()
    .regex(/^\d{1,15}$/, wanted)
    .transform(Number)
    .pipe(z.int().min(least, wanted).max(most, wanted))
    .prefault(String(otherwise))
    .meta({ description: `A whole number from ${least} to ${most}; ${otherwise} unless given.` });
}
