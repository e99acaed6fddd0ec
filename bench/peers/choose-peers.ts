/** Which brokers take part, in the order in which they take turns. */
import { BenchFailure } from '../bench-failure.js';
import type { BenchOptions } from '../options.js';
import { aedes } from './aedes.js';
import { ceiling } from './ceiling.js';
import { external } from './external.js';
import { millrace } from './millrace.js';
import { mosquitto } from './mosquitto.js';
import type { Peer } from './peer.js';

/**
 * @param skipped called for each peer that cannot take part, with the reason
 * @throws BenchFailure when a peer is asked for that does not exist or lacks its option
 */
export function choosePeers(options: BenchOptions, skipped: (name: string, reason: string) => void): readonly Peer[] {
  const known = knownPeers(options);
  const names = options.peers ?? known.map((peer) => peer.name);
  const chosen = names.map((name) => {
    const peer = known.find((candidate) => candidate.name === name);
    if (peer === undefined) throw new BenchFailure(`no peer '${name}'${optionFor(name)}`);
    return peer;
  });
  return chosen.filter((peer) => {
    const reason = peer.protocols.includes(options.protocol) ? peer.unavailable : 'does not speak MQTT 5';
    if (reason !== undefined) skipped(peer.name, reason);
    return reason === undefined;
  });
}

function knownPeers(options: BenchOptions): Peer[] {
  const peers = [millrace(options.millraceCommand), aedes(), mosquitto()];
  if (options.ceilingFile !== undefined) peers.push(ceiling(options.ceilingFile));
  if (options.externalAddress !== undefined) peers.push(external(options.externalAddress));
  return peers;
}

function optionFor(name: string): string {
  return name === 'ceiling' || name === 'external' ? `: give --${name}` : '';
}
