/** The check that no QoS 1 or 2 message has disappeared in silence: what came in against what became of it. */
import type { BrokerContext } from './broker-context.js';

export interface Accounting {
  /** Messages for sessions, once for each session, since the start. */
  readonly accepted: number;
  /** Those that were waiting at the start. */
  readonly restored: number;
  /** Acknowledged by the client. */
  readonly delivered: number;
  /** Given up, each counted under its reason. */
  readonly dropped: number;
  /** On their way to a client, or waiting for it. */
  readonly waiting: number;
  /** accepted + restored - delivered - dropped - waiting: anything but 0 is a defect. */
  readonly missing: number;
}

/** Looks at every session: to be asked for every few seconds, not for every message. */
export function accountingOf({ accounts, sessions }: BrokerContext): Accounting {
  const { accepted, restored, delivered, dropped } = accounts;
  let waiting = 0;
  for (const session of sessions) waiting += session.undelivered;
  return {
    accepted,
    restored,
    delivered,
    dropped,
    waiting,
    missing: accepted + restored - delivered - dropped - waiting,
  };
}
