/** What `look-up-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

export type RetainedQuestion = 'exact' | 'absent' | 'level' | 'everything';

/** Somebody asks for retained messages. */
export interface LookUpJob extends BrokerUnderTest {
  readonly kind: 'look-up';
  /** What there is. */
  readonly messages: number;
  /** A topic each, topics of nobody each, one level with `+`, or everything by `#`. */
  readonly asks: RetainedQuestion;
  readonly longestMs: number;
}

export interface LookUpResult extends Usage {
  readonly kind: 'look-up';
  readonly subscribes: number;
  /** Retained messages that came. */
  readonly delivered: number;
  readonly expected: number;
  /** Messages that were not asked for, or were not as they had been published. */
  readonly foreign: number;
}
