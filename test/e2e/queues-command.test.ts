/** `millrace queues …` against a broker that runs in a process of its own. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { PORTS, queues, type Started, startIn, stop } from '../support/executable-broker.js';
import { MAIN, runIn } from '../support/millrace-process.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';

// Each command is a process of its own, and the machine may have others to run.
vi.setConfig({ testTimeout: 60_000 });

async function publish({ mqtt }: Started, payloads: readonly string[]): Promise<void> {
  const client = await connectAsync(mqtt);
  for (const payload of payloads) await client.publishAsync('devices/7/telemetry', payload, { qos: 1 });
  await client.endAsync();
}

describe('millrace queues', () => {
  test('lists, shows, moves and gives up what is in the queues of the broker that runs here', async () => {
    const directory = await createTemporaryDirectory();
    const started = await startIn(directory);
    await publish(started, ['21.5', '\u001b[2Jevil', '22']);

    const list = await queues(directory, 'ls');
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^QUEUE +READY +IN FLIGHT +DELAYED +BYTES +OLDEST +CONSUMERS +TYPE +DEAD LETTERS\n/);
    expect(list.stdout).toMatch(/\ntelemetry +3 +0 +0 +\d+ +\d+s +0 +standard +telemetry-dlq\n/);
    expect(JSON.parse((await queues(directory, 'ls --json')).stdout)).toMatchObject({
      queues: [{ name: 'telemetry', statistics: { ready: 3 } }, { name: 'telemetry-dlq' }],
    });

    const shown = await queues(directory, 'show telemetry');
    expect(shown.stdout).toMatch(/^telemetry\n\n {2}options\n/);
    expect(shown.stdout).toMatch(/\n {5}maxMessages +100000\n/);
    expect(shown.stdout).toMatch(/\n {2}now\n {5}ready +3\n/);
    expect(shown.stdout).toMatch(/\n {5}enqueued +3\n/);

    const peeked = await queues(directory, 'peek telemetry --limit 2');
    expect(peeked.code).toBe(0);
    expect(peeked.stdout).toMatch(/^ID +STATE +ATTEMPTS +AGE +GROUP +TOPIC +PAYLOAD\n/);
    expect(peeked.stdout).toMatch(/ ready +0 +\d+s +- +devices\/7\/telemetry +21\.5\n/);
    expect(peeked.stdout).toMatch(/there may be more: --cursor \d+\n$/);
    expect(peeked.stdout).not.toContain('\u001b');
    const cursor = /--cursor (\d+)/.exec(peeked.stdout)?.[1];
    const rest = JSON.parse((await queues(directory, `peek telemetry --json --cursor ${cursor}`)).stdout);
    expect(rest).toMatchObject({ messages: [{ payload: { data: '22' } }], cursor: null });

    const redrive = await queues(directory, 'redrive telemetry --to telemetry-dlq --wait');
    expect(redrive).toMatchObject({
      code: 0,
      stdout: 'redrive completed: 3 of 3 messages moved to telemetry-dlq\n',
    });
    expect(await queues(directory, 'redrive telemetry --status')).toMatchObject({ code: 0, stdout: redrive.stdout });

    expect(await queues(directory, 'purge telemetry-dlq')).toMatchObject({
      code: 2,
      stderr: 'millrace: queues purge asks on a terminal only: say --yes\n',
    });
    expect(await queues(directory, 'purge telemetry-dlq --yes')).toMatchObject({
      code: 0,
      stdout: '3 messages of telemetry-dlq are gone\n',
    });

    // What was answered is on the disk.
    expect(await stop(started, 'SIGKILL')).toBeNull();
    await startIn(directory);
    expect(JSON.parse((await queues(directory, 'ls --json')).stdout)).toMatchObject({
      queues: [{ statistics: { ready: 0 } }, { statistics: { ready: 0 } }],
    });
  });

  test('says what is wrong, and what to do', async () => {
    const directory = await createTemporaryDirectory();
    expect(await queues(directory, 'ls')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^millrace: no broker is running with the data directory \.\/data: there is no /),
    });
    const started = await startIn(directory);
    expect(await queues(directory, 'show telemtry')).toMatchObject({
      code: 1,
      stderr: 'millrace: There is no queue telemtry - did you mean "telemetry"?\n',
    });
    expect(await queues(directory, 'redrive telemetry --to telemetry-dl')).toMatchObject({
      code: 1,
      stderr: 'millrace: There is no queue telemetry-dl - did you mean "telemetry-dlq"?\n',
    });
    expect(await queues(directory, 'peek telemetry --limit 1000')).toMatchObject({
      code: 2,
      stderr: 'millrace: limit: expected a whole number from 1 to 100\n',
    });
    expect(await queues(directory, 'redrive telemetry --status --to x')).toMatchObject({
      code: 2,
      stderr: 'millrace: --status cannot be given with --to\n',
    });
    expect(await queues(directory, 'redrive telemetry --rate fast')).toMatchObject({
      code: 2,
      stderr: 'millrace: flag --rate: expected a number above 0, found "fast"\n',
    });
    expect(await queues(directory, 'redrive telemetry --cancel')).toMatchObject({
      code: 1,
      stderr: 'millrace: No redrive of telemetry is running\n',
    });

    const wrong = join(directory, 'wrong');
    writeFileSync(wrong, 'a-token-of-another-broker\n');
    expect(await queues(directory, `ls --token-file ${wrong}`)).toMatchObject({
      code: 1,
      stderr: `millrace: ${started.http} does not take the token: is it that of another broker?\n`,
    });
    expect(await queues(directory, 'ls --token-file missing')).toMatchObject({
      code: 1,
      stderr: 'millrace: missing: there is no such file\n',
    });
    expect(await queues(directory, 'ls --url nonsense')).toMatchObject({
      code: 1,
      stderr: 'millrace: "nonsense" is no address such as http://127.0.0.1:8080\n',
    });

    await stop(started, 'SIGKILL');
    expect(await queues(directory, 'ls')).toMatchObject({
      code: 1,
      stderr: `millrace: no broker answers at ${started.http}: nobody listens there. Is it running?\n`,
    });
  });

  test('reaches a broker elsewhere by --url and --token-file', async () => {
    const directory = await createTemporaryDirectory();
    const { http } = await startIn(directory);
    const elsewhere = await createTemporaryDirectory();
    const token = join(directory, 'data', 'admin-token');
    expect(await queues(elsewhere, `ls --url ${http}/ --token-file ${token}`)).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(elsewhere, 'data'))).toBe(false);
  });
});

describe('the files of the administration', () => {
  test('are for the owner alone; the token stays, the address goes with a clean stop', async () => {
    const directory = await createTemporaryDirectory();
    const [token, address] = ['admin-token', 'admin-address'].map((name) => join(directory, 'data', name)) as [
      string,
      string,
    ];
    const first = await startIn(directory);
    const made = readFileSync(token, 'utf8');
    expect(made).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    for (const file of [token, address]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(address, 'utf8')).toMatch(new RegExp(`^${first.http}\\n[A-Za-z0-9_-]{43}\\n$`));
    expect(await stop(first)).toBe(0);
    expect(existsSync(address)).toBe(false);
    expect(first.broker.stdout).not.toContain(made.trim());
    const second = await startIn(directory);
    expect(readFileSync(token, 'utf8')).toBe(made);
    expect(await stop(second)).toBe(0);
  });

  test('are left alone by a second broker, which cannot start', async () => {
    const directory = await createTemporaryDirectory();
    const { http } = await startIn(directory);
    const address = join(directory, 'data', 'admin-address');
    const before = readFileSync(address, 'utf8');
    expect(before).toContain(`${http}\n`);
    const second = runIn(directory, MAIN, ['start', ...PORTS, '--log-format', 'json']);
    expect(await second.exitCode()).toBe(1);
    expect(second.stdout).toContain('in use by another process');
    expect(readFileSync(address, 'utf8')).toBe(before);
    expect(await queues(directory, 'ls')).toMatchObject({ code: 0 });
  });

  test('that hold no token keep the broker from starting, and say so', async () => {
    const directory = await createTemporaryDirectory();
    await stop(await startIn(directory));
    writeFileSync(join(directory, 'data', 'admin-token'), '\n');
    const start = runIn(directory, MAIN, ['start', ...PORTS, '--log-format', 'json']);
    expect(await start.exitCode()).toBe(1);
    expect(start.stdout).toContain('holds no token: remove it, and the next start makes a new one');
  });
});

describe('the address of a broker that was killed', () => {
  /** Another process has the port now: to take the very one in a test, others would have to leave it alone. */
  async function killAndLetPortTo(directory: string, http: string): Promise<void> {
    const started = await startIn(directory);
    await stop(started, 'SIGKILL');
    const address = join(directory, 'data', 'admin-address');
    writeFileSync(address, readFileSync(address, 'utf8').replace(started.http, http));
  }

  const somebodyElse = (http: string) => ({
    code: 1,
    stdout: '',
    stderr: `millrace: no broker is running with this data directory: it was not stopped in order, and at ${http}, where it listened, somebody else answers\n`,
  });

  test('leads to a program that has its port now: that one does not get the token', async () => {
    const directory = await createTemporaryDirectory();
    const heard: string[] = [];
    const other = createServer((request, response) => {
      heard.push(`${request.url} ${JSON.stringify(request.headers)}`);
      response.end(heard.length === 1 ? '{"proof":"aGVsbG8"}' : 'hello');
    });
    onTestFinished(() => void other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const http = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await killAndLetPortTo(directory, http);
    expect(await queues(directory, 'ls')).toEqual(somebodyElse(http));
    expect(await queues(directory, 'purge telemetry --yes')).toEqual(somebodyElse(http));
    expect(heard).toHaveLength(2);
    const token = readFileSync(join(directory, 'data', 'admin-token'), 'utf8').trim();
    for (const request of heard) {
      expect(request).toMatch(/^\/api\/v1\/identity\?challenge=/);
      expect(request).not.toContain(token);
      expect(request).not.toContain('authorization');
    }
  });

  test('does not lead to another broker, and is replaced by the next one of the same directory', async () => {
    const [directory, elsewhere] = [await createTemporaryDirectory(), await createTemporaryDirectory()];
    const other = await startIn(elsewhere);
    await killAndLetPortTo(directory, other.http);
    expect(await queues(directory, 'ls')).toEqual(somebodyElse(other.http));
    expect(await queues(elsewhere, 'ls')).toMatchObject({ code: 0 });
    await startIn(directory);
    expect(await queues(directory, 'ls')).toMatchObject({ code: 0, stderr: '' });
  });

  test('that is not whole says so', async () => {
    const directory = await createTemporaryDirectory();
    const { http } = await startIn(directory);
    writeFileSync(join(directory, 'data', 'admin-address'), `${http}\n`);
    expect(await queues(directory, 'ls')).toMatchObject({
      code: 1,
      stderr: 'millrace: data/admin-address is not whole: stop the broker, and start it anew\n',
    });
  });
});

describe('a broker that stores nothing', () => {
  const MEMORY = { MILLRACE__STORAGE__DURABILITY: 'memory' };

  test('is administered with a token of its configuration, which is never shown', async () => {
    const directory = await createTemporaryDirectory();
    const environment = { ...MEMORY, MILLRACE__HTTP__ADMIN_TOKEN: 'token-of-the-environment' };
    const { broker, http } = await startIn(directory, environment);
    expect(await queues(directory, `ls --url ${http}`, environment)).toMatchObject({ code: 0 });
    const print = runIn(directory, MAIN, ['config', 'print'], environment);
    expect(await print.exitCode()).toBe(0);
    expect(print.stdout).toContain('  # adminToken: # environment MILLRACE__HTTP__ADMIN_TOKEN, not shown\n');
    const wrong = runIn(directory, MAIN, ['check'], { MILLRACE__HTTP__ADMIN_TOKEN: 'short' });
    expect(await wrong.exitCode()).toBe(2);
    expect(wrong.stderr).toMatch(/http\.adminToken: expected a token of 16 to 1024 /);
    for (const text of [print.stdout, wrong.stderr, broker.stdout]) expect(text).not.toMatch(/token-of-the|short/);
    expect(existsSync(join(directory, 'data'))).toBe(false);
  });

  test('is not administered without one, and answers probes', async () => {
    const directory = await createTemporaryDirectory();
    const { http } = await startIn(directory, MEMORY);
    expect((await fetch(`${http}/health/ready`)).status).toBe(200);
    const ls = await queues(directory, `ls --url ${http}`, { ...MEMORY, MILLRACE__HTTP__ADMIN_TOKEN: 'x'.repeat(16) });
    expect(ls).toMatchObject({ code: 1, stderr: expect.stringContaining('The administration is off') });
    expect((await queues(directory, `ls --url ${http}`, MEMORY)).stderr).toContain('there is no token');
  });
});

describe('the port of HTTP', () => {
  test('that is taken is named, and nothing is left behind', async () => {
    const directory = await createTemporaryDirectory();
    const { http } = await startIn(directory);
    const { port } = new URL(http);
    const elsewhere = await createTemporaryDirectory();
    const start = runIn(elsewhere, MAIN, [
      'start',
      '--port',
      '0',
      '--ws-port',
      '0',
      '--sqs-port',
      '0',
      '--http-port',
      port,
    ]);
    expect(await start.exitCode()).toBe(1);
    expect(start.stdout).toContain(
      `HTTP cannot listen on 127.0.0.1:${port}: another program uses this port. Stop it, or choose another port with http.port (or --http-port)`,
    );
    expect(existsSync(join(elsewhere, 'data'))).toBe(false);
  });

  test('can be switched off', async () => {
    const directory = await createTemporaryDirectory();
    const started = await startIn(directory, { MILLRACE__HTTP__ENABLED: 'false' });
    expect(started.http).toBeNull();
    expect(existsSync(join(directory, 'data', 'admin-address'))).toBe(false);
    expect(await stop(started)).toBe(0);
  });
});
