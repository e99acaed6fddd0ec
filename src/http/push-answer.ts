/** What is told of the webhook that a queue is pushed to. */
import { z } from 'zod';
import { moment, momentOf } from './moment.js';

const count = z.int();

export const pushAnswer = z
  .object({
    target: z.string().meta({ description: 'Scheme, host and port.' }),
    state: z.enum(['up', 'probing', 'paused', 'down', 'gone']).meta({
      description: 'up: it is sent messages; probing: one at a time; otherwise none until a wait is over.',
    }),
    inFlight: count,
    requests: count,
    delivered: count.meta({ description: 'Answered with 2xx.' }),
    throttled: count.meta({ description: 'Answered with 429 or 503 and Retry-After: not counted as an attempt.' }),
    gone: count.meta({ description: 'Answered with 410: not counted as an attempt.' }),
    abandoned: count,
    failed: z.record(z.string(), count).meta({ description: 'By reason; each was an attempt.' }),
    lastFailure: z.object({ at: moment, reason: z.string() }).nullable(),
  })
  .meta({ description: 'Counts are since the broker was started.' });

export type PushAnswer = z.output<typeof pushAnswer>;

/** The same as whoever pushes has it. */
export interface PushView extends Omit<PushAnswer, 'lastFailure' | 'failed'> {
  readonly failed: Readonly<Record<string, number>>;
  readonly lastFailure: { readonly atMs: number; readonly reason: string } | null;
}

export function pushAnswerOf({ lastFailure, failed, ...view }: PushView): PushAnswer {
  return {
    ...view,
    failed: { ...failed },
    lastFailure: lastFailure === null ? null : { at: momentOf(lastFailure.atMs), reason: lastFailure.reason },
  };
}
