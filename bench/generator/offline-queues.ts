/**
 * Who queues what for whom in the durable scenarios: persistent sessions that are away while publishers send. Main and
 * the jobs that fill, drain and check all read it from here, since they run in processes of their own.
 */
export interface OfflineQueues {
  readonly sessions: number;
  readonly publishers: number;
  /** Every session gets everything, on one filter; or session n gets what publisher n sends, on a filter of its own. */
  readonly each: 'everything' | 'own';
}

export function sessionId(session: number): string {
  return `bench-session-${session}`;
}

export function topicOf(publisher: number): string {
  return `bench/${publisher}/data`;
}

export function filterOf(queues: OfflineQueues, session: number): string {
  return queues.each === 'everything' ? 'bench/#' : topicOf(session);
}

export function receives(queues: OfflineQueues, session: number, publisher: number): boolean {
  return queues.each === 'everything' || session === publisher;
}
