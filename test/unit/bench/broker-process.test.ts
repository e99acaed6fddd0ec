import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBroker } from '../../../bench/broker-process.js';
import { EVERY_TRANSPORT } from '../../../bench/generator/transport.js';
import { EVERY_PROTOCOL, EVERY_QOS } from '../../../bench/peers/peer.js';

it('tells why a broker has ended, wherever it has said so', async () => {
  const program = `console.log('the port is taken'); console.error('and more'); process.exit(3)`;
  const peer = {
    name: 'failing',
    protocols: EVERY_PROTOCOL,
    transports: EVERY_TRANSPORT,
    qos: EVERY_QOS,
    abilities: [],
    unavailable: undefined,
    source: { kind: 'launched', command: () => [process.execPath, '-e', program] },
  } as const;
  const directory = mkdtempSync(join(tmpdir(), 'millrace-broker-process-'));
  const setting = { protocol: 4, transport: 'tcp', fileDescriptors: 256, prefix: [], directory } as const;
  try {
    const started = startBroker(peer, setting);
    await expect(started).rejects.toThrow(
      /ended with code 3: (the port is taken\s+and more|and more\s+the port is taken)/,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
