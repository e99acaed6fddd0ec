/** Which brokers take part, in the order in which they take turns, and what each of them is left out of. */
import { BenchFailure } from '../bench-failure.js';
import type { BenchOptions } from '../bench-options.js';
import { isEncrypted } from '../generator/transport.js';
import { findTlsObstacle } from '../tls-certificate.js';
import type { Variant } from '../variant.js';
import { aedes, durableAedes } from './aedes.js';
import { ceiling } from './ceiling.js';
import { external } from './external.js';
import { durableMillrace, millrace, ruledMillrace } from './millrace.js';
import { durableMosquitto, mosquitto } from './mosquitto.js';
import type { Ability, Peer } from './peer.js';

export interface PeerChoice {
  /** For everything that does not ask for durability. */
  readonly volatile: readonly Peer[];
  /** For the durable scenarios. */
  readonly durable: readonly Peer[];
}

/**
 * @param skipped called for each peer that cannot take part at all, with the reason
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
        if (peer.unavailable !== undefined) refused.set(peer.name, peer.unavailable);
        return peer.unavailable === undefined;
      });
  const choice = { volatile: available(known.volatile), durable: available(known.durable) };
  for (const [name, reason] of refused) skipped(name, reason);
  return choice;
}

/** Why the peer cannot do it; undefined when it can. */
export function findObstacle(peer: Peer, variant: Variant, needs: readonly Ability[]): string | undefined {
  if (!peer.protocols.includes(variant.protocol)) return `does not speak MQTT ${variant.protocol === 5 ? 5 : '3.1.1'}`;
  if (!peer.transports.includes(variant.transport)) return `is not measured over ${variant.transport}`;
  const missing = needs.find((ability) => !peer.abilities.includes(ability));
  if (missing !== undefined) return `has not: ${missing}`;
  return isEncrypted(variant.transport) ? findTlsObstacle() : undefined;
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
