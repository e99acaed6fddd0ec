/** What the broker of a queue scenario is started with: one queue, and one rule that takes everything into it. */
import { WORK_QUEUE } from '../generator/work-queue.js';

export interface QueueSettings {
  readonly type: 'standard' | 'fifo';
  readonly prefetch: number;
  /** Whether the second level of a topic is the message group. */
  readonly grouped: boolean;
  /** Where its messages are sent. */
  readonly push?: object;
}

/** @returns YAML */
export function queueConfiguration({ type, prefetch, grouped, push }: QueueSettings): string {
  const queue = {
    type,
    prefetch,
    maxMessages: 100_000_000,
    maxBytes: '1TiB',
    maxInFlight: 1_000_000,
    ...(push && { push }),
  };
  const rule = { name: WORK_QUEUE, topics: ['bench/#'], queues: [WORK_QUEUE] };
  const group = grouped ? { group: { topicLevel: 2 } } : {};
  // JSON is YAML. Figures are read at the end of a run, and not waited for longer than that.
  return JSON.stringify({
    queues: { [WORK_QUEUE]: queue },
    ...(push && { push: { allow: ['127.0.0.1'] } }),
    bridge: { rules: [{ ...rule, ...group }] },
    sys: { interval: 1 },
  });
}
