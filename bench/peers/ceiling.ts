/**
 * A bare relay, given as a file: the hot path and nothing else, to see how far the broker is from what plain Node can
 * do. It relays QoS 0 and 1 of MQTT 3.1.1 and is started as `node FILE PORT`.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Peer } from './peer.js';

export function ceiling(file: string): Peer {
  return {
    name: 'ceiling',
    protocols: [4],
    transports: ['tcp'],
    qos: [0, 1],
    abilities: ['a process of Node'],
    unavailable: existsSync(file) ? undefined : `${file} does not exist`,
    source: { kind: 'launched', command: ({ port }) => [process.execPath, resolve(file), String(port)] },
  };
}
