/** A broker that already runs somewhere. Its CPU time and memory cannot be read, so only rates are reported. */
import { BenchFailure } from '../bench-failure.js';
import { EVERY_TRANSPORT } from '../generator/transport.js';
import { EVERY_PROTOCOL, EVERY_QOS, type Peer } from './peer.js';

/**
 * @param address `host:port`
 * @throws BenchFailure when it is not one
 */
export function external(address: string): Peer {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new BenchFailure(`--external takes host:port, not '${address}'`);
  }
  return {
    name: 'external',
    protocols: EVERY_PROTOCOL,
    transports: EVERY_TRANSPORT,
    qos: EVERY_QOS,
    abilities: ['shared subscriptions'],
    unavailable: undefined,
    source: { kind: 'external', host, port },
  };
}
