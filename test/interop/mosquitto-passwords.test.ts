/** Password files of mosquitto's: written there and read here, and the other way round. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPrograms, ROOT, startBroker } from './broker-program.js';
import { until } from './interop-broker.js';
import { endPrograms, runProgram, startProgram } from './run-program.js';

const directory = mkdtempSync(join(tmpdir(), 'millrace-passwords-'));
const USERS = [
  ['alice', 'pencil'],
  ['with space', 'two words'],
  ['ünïcode', 'pässwörd €'],
] as const;

beforeAll(() => buildPrograms());

afterAll(() => {
  endPrograms();
  rmSync(directory, { recursive: true, force: true });
});

/** The exit code of mosquitto_pub: 0, or what the broker has answered. */
async function connects(port: string, user: string, password: string): Promise<boolean> {
  const args = ['-h', '127.0.0.1', '-p', port, '-u', user, '-P', password, '-t', 't', '-m', 'x', '-q', '1'];
  return (await runProgram('mosquitto_pub', args)).exitCode === 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function expectUsers(port: string): Promise<void> {
  for (const [user, password] of USERS) {
    expect(await connects(port, user, password), user).toBe(true);
    expect(await connects(port, user, `${password}x`), user).toBe(false);
  }
  expect(await connects(port, 'nobody', 'pencil')).toBe(false);
}

async function withMillrace(file: string, run: (port: string) => Promise<void>): Promise<void> {
  const config = join(directory, 'millrace.yaml');
  writeFileSync(config, `auth: { passwordFile: ${JSON.stringify(file)} }\n`);
  const broker = await startBroker('--config', config);
  await run(broker.port).finally(() => broker.stop());
}

async function millracePasswd(file: string, user: string, password: string, ...flags: string[]): Promise<void> {
  const typed = join(directory, 'typed');
  writeFileSync(typed, `${password}\n`);
  const script = `exec "$0" "$1" passwd "$2" "$3" ${flags.join(' ')} < "$4"`;
  const main = join(ROOT, 'dist', 'cli', 'main.js');
  const { exitCode, errors } = await runProgram('sh', ['-c', script, process.execPath, main, file, user, typed]);
  expect(errors).toBe('');
  expect(exitCode).toBe(0);
}

describe('a password file', () => {
  it('that mosquitto_passwd has written is taken by the broker', async () => {
    const file = join(directory, 'theirs');
    writeFileSync(file, '');
    for (const [user, password] of USERS) {
      expect((await runProgram('mosquitto_passwd', ['-b', file, user, password])).exitCode).toBe(0);
    }
    await withMillrace(file, async (port) => {
      await expectUsers(port);
      const topic = '$SYS/broker/authentication/password/#';
      const credentials = ['-u', 'alice', '-P', 'pencil', '-t', topic, '-v', '-C', '3', '-W', '15'];
      const { output } = await runProgram('mosquitto_sub', ['-h', '127.0.0.1', '-p', port, ...credentials]);
      expect(output).toMatch(/authentication\/password\/accepted \d+\n/);
    });
  });

  it('that millrace passwd has written is taken by mosquitto and by the broker, and mosquitto_passwd can go on with it', async () => {
    const file = join(directory, 'ours');
    for (const [user, password] of USERS) await millracePasswd(file, user, password);
    const port = await freePort();
    const config = join(directory, 'mosquitto.conf');
    writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${file}\nuser root\n`);
    const mosquitto = startProgram('mosquitto', ['-c', config, '-v'], 50_000);
    await until('mosquitto to listen', () => /running/.test(mosquitto.output + mosquitto.errors));
    await expectUsers(String(port));
    mosquitto.end('SIGTERM');
    await mosquitto.finished;
    await withMillrace(file, expectUsers);
    await runProgram('mosquitto_passwd', ['-b', file, 'dave', 'later']);
    await millracePasswd(file, 'carol', 'argon', '--hash', 'argon2id');
    await withMillrace(file, async (ours) => {
      await expectUsers(ours);
      expect(await connects(ours, 'dave', 'later')).toBe(true);
      expect(await connects(ours, 'carol', 'argon')).toBe(true);
      expect(await connects(ours, 'carol', 'argot')).toBe(false);
    });
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(USERS.length + 3);
  });
});
