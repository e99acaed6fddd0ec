/** Which brokers take part, in the order in which they take turns. */
import { BenchFailure } from '../bench-failure.js';
import type { BenchOptions } from '../bench-options.js';
import { aedes, durableAedes } from './aedes.js';
import { ceiling } from './ceiling.js';
import { external } from './external.js';
import { durableMillrace, millrace, ruledMillrace } from './millrace.js';
import { durableMosquitto, mosquitto } from './mosquitto.js';
import type { Peer } from './peer.js';

export interface PeerChoice {
  /** For everything that does not ask for durability. */
  readonly volatile: readonly Peer[];
  /** For the durable scenarios. */
  readonly durable: readonly Peer[];
}

/**
 * @param skipped called for each peer that cannot take part, with the reason
 * @throws BenchFailure when a peer is asked for that does not exist or lacks its option
 */
export function choosePeers(options: BenchOptions, skipped: (name: string, reason: string) => void): PeerChoice {
  const known = { volatile: volatilePeers(options), durable: durablePeers(options) };
  const everyName = [...known.volatile, ...known.durable].map((peer) => peer.name);
  const onRequest = new Set(known.volatile.filter((peer) => peer.isOnRequest).map((peer) => peer.name));
  const names = [...new Set(options.peers ?? everyName.filter((name) => !onRequest.has(name)))];
  for (const name of names) {
    if (!everyName.includes(name)) throw new BenchFailure(`no peer '${name}'${optionFor(name)}`);
  }
  const refused = new Map<string, string>();
  const available = (peers: readonly Peer[]): readonly Peer[] =>
    names
      .flatMap((name) => peers.filter((peer) => peer.name === name))
      .filter((peer) => {
        const reason = peer.protocols.includes(options.protocol) ? peer.unavailable : 'does not speak MQTT 5';
        if (reason !== undefined) refused.set(peer.name, reason);
        return reason === undefined;
      });
  const choice = { volatile: available(known.volatile), durable: available(known.durable) };
  for (const [name, reason] of refused) skipped(name, reason);
  return choice;
}

function volatilePeers(options: BenchOptions): Peer[] {
  const peers = [millrace(options.millraceCommand), aedes(), mosquitto(), ...ruledMillrace(options.millraceCommand)];
  if (options.ceilingFile !== undefined) peers.push(ceiling(options.ceilingFile));
  if (options.externalAddress !== undefined) peers.push(external(options.externalAddress));
  return peers;
}

function durablePeers(options: BenchOptions): Peer[] {
  return [...durableMillrace(options.millraceCommand), durableAedes(), durableMosquitto()];
}

function optionFor(name: string): string {
  return name === 'ceiling' || name === 'external' ? `: give --${name}` : '';
}
