import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.js';
import type { Admission } from '../admission.js';
import type { ProxiedPeer } from './proxied-peer.js';
import { ProxyDoor } from './proxy-door.js';
import type { ProxyProtocolOptions } from './proxy-options.js';

/** The listener that the door is of. */
export interface ProxiedListener {
  readonly clock: Clock;
  readonly admission: Admission;
  /** What comes behind the header is TLS. */
  readonly isEncrypted: boolean;
  onClient(socket: Socket, peer: ProxiedPeer | null): void;
}

/**
 * The door of a listener that takes the PROXY protocol; null for one that does not.
 * @throws InvalidArgument for a range of addresses that is none
 */
export function openProxyDoor(options: ProxyProtocolOptions | undefined, listener: ProxiedListener): ProxyDoor | null {
  if (options === undefined) return null;
  return new ProxyDoor(options, listener.clock, {
    onClient: (socket, peer) => {
      listener.onClient(socket, peer);
      // TLS takes what is buffered by itself, and loses it to a socket that flows.
      if (!listener.isEncrypted) socket.resume();
    },
    refuse: (socket, refusal) => listener.admission.refuse(socket, refusal),
  });
}
