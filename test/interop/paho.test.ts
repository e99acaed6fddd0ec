/** Eclipse Paho for Python (Debian: python3-paho-mqtt) against the broker, in MQTT 3.1, 3.1.1 and 5 and over WebSocket. */
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { InteropBroker } from './interop-broker.js';
import { endPrograms, runProgram } from './run-program.js';

const MiB = 1024 * 1024;

let broker: InteropBroker;
let roomy: InteropBroker;

beforeAll(async () => {
  broker = await InteropBroker.start();
  roomy = await InteropBroker.start({ maximumPacketSize: 16 * MiB, outboundHardLimitBytes: 64 * MiB });
});

afterEach(() => endPrograms());

afterAll(async () => {
  await Promise.all([broker.stop(), roomy.stop()]);
});

// The lines are counted: a script that ends early has not shown what it is for.
it.each([
  ['paho_client.py', 59],
  ['paho_mqtt5.py', 43],
] as const)('%s is served', async (name, checks) => {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const ports = [broker.port, broker.wsPort, roomy.port];
  // -B: writes no byte code beside the sources.
  const { output, errors, exitCode } = await runProgram('/usr/bin/python3', ['-B', script, ...ports], 55_000);
  expect(errors).toBe('');
  expect(output).not.toContain('FAILED');
  expect(output.match(/^ok /gm)).toHaveLength(checks);
  expect(exitCode).toBe(0);
});
