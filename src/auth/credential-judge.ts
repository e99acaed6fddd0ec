/** One source of credentials that CONNECT may carry. The AuthenticationChain asks them in turn. */
import type { ConnectDecision, ConnectRequest, RefusedConnect } from './authenticator.js';
import type { Asker } from './check-lane.js';

/** `next`: this source knows nothing of the client, another may. */
export type Verdict = ConnectDecision | 'next';

export interface CredentialJudge {
  /** Names its figures. */
  readonly name: string;
  /** Must not throw; a rejected promise refuses the client as if the server were unavailable. */
  judge(request: ConnectRequest): Verdict | Promise<Verdict>;
}

/** Whoever guesses is not told what was wrong. @param detail for the log */
export function unidentified(detail: string): RefusedConnect {
  return { allowed: false, why: 'unidentified', message: 'bad user name or password', detail };
}

export function busy(detail: string): RefusedConnect {
  return { allowed: false, why: 'busy', message: 'too many clients are connecting, try again', detail };
}

export function unavailable(detail: string): RefusedConnect {
  return { allowed: false, why: 'unavailable', message: 'authentication is not available', detail };
}

/** For whom a check of the request is. */
export function askerOf(request: ConnectRequest): Asker {
  return { address: request.remoteAddress, isWanted: () => request.isGone?.() !== true };
}
