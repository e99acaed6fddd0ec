/** What comes to a port where something else is spoken, told apart by how it begins: so that the log can say what to change. */
import { beginsAsProxyHeader } from './proxy/proxy-header-reader.js';

export type Misdirection = 'unexpected-tls' | 'unexpected-proxy-header';

export const MISDIRECTION_TEXTS: Readonly<Record<Misdirection, string>> = {
  'unexpected-tls': 'the client speaks TLS, and this listener has none',
  'unexpected-proxy-header':
    'a PROXY header has come where none is taken: `proxyProtocol` of the listener has to trust the proxy, or the proxy must send none',
};

/** How a record of TLS begins (RFC 8446, section 5.1); in MQTT this would be a CONNECT with flags that it must not have. */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;

/** @param opening the first bytes of a connection */
export function misdirectionOf(opening: Buffer): Misdirection | null {
  if (opening[0] === TLS_HANDSHAKE && (opening[1] ?? TLS_MAJOR) === TLS_MAJOR) return 'unexpected-tls';
  return beginsAsProxyHeader(opening) ? 'unexpected-proxy-header' : null;
}
