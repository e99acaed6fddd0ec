/** Aedes from npm, in a server of a few lines. It speaks MQTT 3.1.1 only. */
import { fileURLToPath } from 'node:url';
import { EVERY_QOS, type Peer } from './peer.js';

export function aedes(): Peer {
  const server = fileURLToPath(new URL('./aedes-server.js', import.meta.url));
  return {
    name: 'aedes',
    protocols: [4],
    qos: EVERY_QOS,
    unavailable: undefined,
    source: { kind: 'launched', command: (port) => [process.execPath, server, String(port)] },
  };
}
