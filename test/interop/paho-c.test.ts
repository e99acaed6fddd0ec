/** Eclipse Paho for C (Debian: libpaho-mqtt-dev) against the broker: both of its APIs, in MQTT 3.1, 3.1.1 and 5. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InteropBroker } from './interop-broker.js';
import { endPrograms, runProgram } from './run-program.js';

const MiB = 1024 * 1024;

let broker: InteropBroker;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-paho-c-'));
  broker = await InteropBroker.start({ maximumPacketSize: 16 * MiB, outboundHardLimitBytes: 64 * MiB });
});

afterEach(() => endPrograms());

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.stop();
});

// Not in one program: the two libraries define the same names.
describe.each([
  ['synchronous', 'paho_c_client', 'paho-mqtt3c', 16],
  ['asynchronous', 'paho_c_async', 'paho-mqtt3a', 5],
] as const)('the %s API', (_api, name, library, checks) => {
  beforeAll(async () => {
    const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
    const built = await runProgram('cc', ['-Wall', '-Werror', '-o', join(folder, name), source, `-l${library}`]);
    expect(built).toMatchObject({ exitCode: 0, errors: '' });
  });

  it.each([3, 4, 5])('is served in version %i', async (version) => {
    const result = await runProgram(join(folder, name), [
      broker.url.replace('mqtt', 'tcp'),
      `${version}`,
      `c${version}`,
    ]);
    expect(result.output).not.toContain('FAILED');
    expect(result.exitCode).toBe(0);
    const expected = name === 'paho_c_client' && version === 5 ? checks + 2 : checks;
    expect(result.output.match(/^ok /gm)).toHaveLength(expected);
  });
});
