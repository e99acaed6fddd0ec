import type { ReasonCode } from '../core/reason-code.js';

/** What a client is told instead of being accepted. */
export interface Refusal {
  readonly reasonCode: ReasonCode;
  /** For the client. */
  readonly message: string;
  /** For the log, where it says more than the client is told. */
  readonly detail?: string;
}
