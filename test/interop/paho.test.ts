/** Eclipse Paho for Python (Debian: python3-paho-mqtt) against the broker, in MQTT 3.1, 3.1.1 and 5 and over WebSocket. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Broker } from '../../src/broker/broker.js';
import { endPrograms, runProgram } from './run-program.js';

const SCRIPT = fileURLToPath(new URL('paho_client.py', import.meta.url));

let broker: Broker;

beforeAll(async () => {
  broker = await Broker.start({
    listeners: [
      { name: 'tcp', kind: 'tcp', host: '127.0.0.1', port: 0 },
      { name: 'ws', kind: 'ws', host: '127.0.0.1', port: 0 },
    ],
  });
});

afterAll(async () => {
  endPrograms();
  await broker.stop(1000);
});

it('serves Paho', async () => {
  const ports = broker.listeners.map(({ port }) => String(port));
  const { output, errors, exitCode } = await runProgram('/usr/bin/python3', [SCRIPT, ...ports], 55_000);
  expect(errors).toBe('');
  expect(output).not.toContain('FAILED');
  expect(output.match(/^ok /gm)).toHaveLength(26);
  expect(exitCode).toBe(0);
});
