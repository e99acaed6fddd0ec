/**
 * Client certificates that a listener takes user names from (`tls.username`): the name is the client's, and nothing more is asked. That
 * a certificate suffices is the word of the operator, who has named the authority and that setting.
 */
import type { ConnectRequest } from './authenticator.js';
import type { CredentialJudge, Verdict } from './credential-judge.js';
import { identityOf } from './identity.js';

export class CertificateJudge implements CredentialJudge {
  readonly name = 'certificate';

  judge({ certificate }: ConnectRequest): Verdict {
    const username = certificate?.username ?? null;
    return username === null ? 'next' : { allowed: true, identity: identityOf(username) };
  }
}
