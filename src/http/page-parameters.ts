import { z } from 'zod';
import { numberParameter } from './number-parameter.js';

/** Of a list in order of names that is told page by page. */
export function pageParameters() {
  return z.strictObject({
    limit: numberParameter(1, 1000, 100),
    cursor: z.string().default('').meta({ description: 'Of the page before.' }),
  });
}
