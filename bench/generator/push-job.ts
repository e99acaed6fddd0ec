/** What `push-run.ts` is asked to do, and what comes back. */
import type { WorkLoad, WorkResult } from './work-job.js';

/** The broker sends it to a webhook, which answers at once. */
export interface PushJob extends WorkLoad {
  readonly kind: 'push';
  /** Where the broker has been told to look for it. */
  readonly targetPort: number;
}

export interface PushResult extends Omit<WorkResult, 'kind'> {
  readonly kind: 'push';
  /** Connections that the broker has opened to the webhook. */
  readonly connections: number;
}
