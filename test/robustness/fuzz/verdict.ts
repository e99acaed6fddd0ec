/**
 * Whether a connection came to the end that its bytes ask for. Called when it is over, or has had its time.
 */
import type { Expectation } from './client-judge.js';
import type { Conversation } from './conversation.js';
import { Finding } from './finding.js';

const TAKEN_OVER = 0x8e;
const KEEP_ALIVE_TIMEOUT = 0x8d;
/** A client that reads or sends late may pass a keep alive of so many seconds. */
const SHORT_KEEP_ALIVE_SECONDS = 10;

export interface Ending {
  /** The broker has closed the connection; not its client. */
  readonly isEndedByBroker: boolean;
  /** Another connection has, or may have, used the same client identifier meanwhile. */
  readonly isContested: boolean;
  /** Its client has stayed, and has read what came, up to the end. */
  readonly isObserved: boolean;
}

export function verdictOn(expectation: Expectation, conversation: Conversation, ending: Ending): Finding | undefined {
  if (!ending.isObserved) return undefined;
  const { course, why, connect } = expectation;
  const keepAliveSeconds = connect?.keepAliveSeconds ?? 0;
  const mayFallSilent = keepAliveSeconds > 0 && keepAliveSeconds < SHORT_KEEP_ALIVE_SECONDS;
  if (ending.isEndedByBroker) {
    if (course !== 'lasting' || ending.isContested || mayFallSilent) return undefined;
    const code = conversation.disconnectCode;
    if (code === TAKEN_OVER || code === KEEP_ALIVE_TIMEOUT) return new Finding('ended', `nobody caused code ${code}`);
    return new Finding('ended', `the broker ended a connection that is in order (code ${code ?? 'none'})`);
  }
  switch (course) {
    case 'violating':
    case 'refused':
    case 'left':
      return new Finding('not-ended', `the broker did not end the connection: ${why}`);
    case 'lasting':
      if (!conversation.isAccepted) return new Finding('unanswered', 'no CONNACK came');
      if (conversation.openAnswers > 0) return new Finding('unanswered', `${conversation.openAnswers} answers missing`);
      return conversation.isSettled ? undefined : new Finding('unanswered', 'no PINGRESP came');
    default:
      return undefined;
  }
}
