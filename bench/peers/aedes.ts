/** Aedes from npm, in a server of a few lines, in memory or over aedes-persistence-level. It speaks MQTT 3.1.1 only. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVERY_TRANSPORT } from '../generator/transport.js';
import { EVERY_QOS, type Peer } from './peer.js';

const NAME = 'aedes';

export function aedes(): Peer {
  const server = fileURLToPath(new URL('./aedes-server.js', import.meta.url));
  return {
    name: NAME,
    protocols: [4],
    transports: EVERY_TRANSPORT,
    qos: EVERY_QOS,
    abilities: ['a process of Node'],
    unavailable: undefined,
    source: {
      kind: 'launched',
      command: ({ port, transport, certificate }) => [
        process.execPath,
        server,
        String(port),
        transport,
        ...(certificate === undefined ? [] : [certificate.certificate, certificate.key]),
      ],
    },
  };
}

/** It writes a copy of each message for each session, and is some hundred times slower into many. */
const SHARE_OF_THE_LOAD = 0.02;

export function durableAedes(): Peer {
  const server = fileURLToPath(new URL('./aedes-level-server.js', import.meta.url));
  return {
    name: NAME,
    protocols: [4],
    transports: ['tcp'],
    qos: EVERY_QOS,
    abilities: ['a process of Node'],
    unavailable: undefined,
    shareOfLoad: SHARE_OF_THE_LOAD,
    source: {
      kind: 'launched',
      command: ({ port, directory }) => [process.execPath, server, String(port), join(directory, 'level')],
    },
  };
}
