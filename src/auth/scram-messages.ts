/**
 * What a SCRAM client says (RFC 5802 section 7), read strictly: attributes in their order, mandatory extensions and
 * channel binding refused, because the broker offers none.
 *
 *   client-first   n,,n=user,r=NONCE            gs2 header, then the bare message
 *   client-final   c=biws,r=NONCE…,p=PROOF      all but the proof is signed
 */
import { decodeBase64 } from './base64.js';

export interface ClientFirst {
  /** `n,,` or `y,,`: the client-final-message has to repeat it. */
  readonly gs2Header: string;
  /** The message without it. */
  readonly bare: string;
  /** Not prepared yet. */
  readonly username: string;
  readonly nonce: string;
}

export interface ClientFinal {
  /** The gs2 header that the client says it has sent. */
  readonly channelBinding: string;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: string;
}

/** A message that does not follow the grammar, or asks for what is not offered. */
export class InvalidScramMessage {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const NONCE = /^r=[\x21-\x2b\x2d-\x7e]+$/;
const EXTENSION = /^[A-Za-z]=./s;
/** A `,` of a user name is written `=2C` and a `=` is written `=3D`; no other `=` may stand there. */
const USERNAME = /^n=(?:[^=]|=2C|=3D)+$/;

export function parseClientFirst(data: Buffer): ClientFirst | InvalidScramMessage {
  const text = decodeText(data);
  if (text === undefined) return new InvalidScramMessage('the message is not UTF-8 text');
  const [binding = '', authorizationIdentity, user = '', nonce = '', ...extensions] = text.split(',');
  if (binding.startsWith('p=')) return new InvalidScramMessage('channel binding is not offered');
  if (binding !== 'n' && binding !== 'y') return new InvalidScramMessage('the message does not begin with n, or y,');
  if (authorizationIdentity !== '') {
    return new InvalidScramMessage('an authorization identity: nobody can act for another user');
  }
  if (user.startsWith('m=')) return new InvalidScramMessage('a mandatory extension (m=), and none is known');
  if (!USERNAME.test(user)) return new InvalidScramMessage('the user name (n=) is missing or not well-formed');
  if (!NONCE.test(nonce)) return new InvalidScramMessage('the nonce (r=) is missing or not printable ASCII');
  if (!areExtensions(extensions)) return new InvalidScramMessage('what follows the nonce is not an extension');
  return {
    gs2Header: `${binding},,`,
    bare: text.slice(`${binding},,`.length),
    username: user.slice(2).replaceAll('=2C', ',').replaceAll('=3D', '='),
    nonce: nonce.slice(2),
  };
}

/** @param keyBytes of the mechanism */
export function parseClientFinal(data: Buffer, keyBytes: number): ClientFinal | InvalidScramMessage {
  const text = decodeText(data);
  if (text === undefined) return new InvalidScramMessage('the message is not UTF-8 text');
  const [binding = '', nonce = '', ...rest] = text.split(',');
  const proof = rest.pop() ?? '';
  const channelBinding = binding.startsWith('c=') ? decodeBase64(binding.slice(2)) : undefined;
  if (channelBinding === undefined) {
    return new InvalidScramMessage('the channel binding (c=) is missing or not base64');
  }
  if (!NONCE.test(nonce)) return new InvalidScramMessage('the nonce (r=) is missing or not printable ASCII');
  if (!areExtensions(rest)) return new InvalidScramMessage('what follows the nonce is not an extension');
  const proofBytes = proof.startsWith('p=') ? decodeBase64(proof.slice(2)) : undefined;
  if (proofBytes?.length !== keyBytes) {
    return new InvalidScramMessage(`the proof (p=) is missing or not ${keyBytes} bytes in base64`);
  }
  return {
    channelBinding: channelBinding.toString('latin1'),
    nonce: nonce.slice(2),
    proof: proofBytes,
    withoutProof: text.slice(0, text.length - proof.length - 1),
  };
}

/** Optional ones, which a server that does not know them ignores; `m` is reserved for what must be understood. */
function areExtensions(attributes: readonly string[]): boolean {
  return attributes.every((attribute) => EXTENSION.test(attribute) && !attribute.startsWith('m='));
}

function decodeText(data: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
