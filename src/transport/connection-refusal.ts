/** Why a connection was turned away before anything was read of its MQTT. The one list of such reasons: each is counted, and told. */
import { MISDIRECTION_TEXTS } from './misdirected.js';

export const CONNECTION_REFUSALS = [
  /** The listener has as many connections as it may have. */
  'listener-full',
  /** The address has. */
  'address-full',
  /** Connections come in faster than the listener takes them, or than it takes them of one address. */
  'listener-rate',
  'address-rate',
  'address-banned',
  /** The process is far behind with its work. */
  'overloaded',
  /** The peer is no trusted proxy, and the listener is for those alone. */
  'proxy-untrusted',
  'proxy-header-missing',
  'proxy-header-invalid',
  'proxy-header-timeout',
  /** A page of another origin than those that are allowed has opened the WebSocket. */
  'origin',
  /** Where HTTP should begin, something else does. */
  'unexpected-tls',
  'unexpected-proxy-header',
] as const;

export type ConnectionRefusal = (typeof CONNECTION_REFUSALS)[number];

export const REFUSAL_TEXTS: Readonly<Record<ConnectionRefusal, string>> = {
  'listener-full': 'the listener has as many connections as `maxConnections` allows',
  'address-full': 'the address has as many connections as `maxConnectionsPerAddress` allows',
  'listener-rate': 'connections come in faster than `connectRate` allows',
  'address-rate': 'connections of the address come in faster than `connectRatePerAddress` allows',
  'address-banned': 'the address is banned',
  overloaded: 'the broker is overloaded',
  'proxy-untrusted': 'the listener is for the proxies of `proxyProtocol.trusted` alone',
  'proxy-header-missing': 'a trusted proxy has sent no PROXY header: is it configured to?',
  'proxy-header-invalid': 'the PROXY header cannot be understood',
  'proxy-header-timeout': 'the PROXY header has not come in time',
  origin: 'the origin of the page is not in `origins`',
  ...MISDIRECTION_TEXTS,
};
