/** The files around the image and the unit, read by the programs that they are for. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { MAIN, runIn } from '../support/millrace-process.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { freePorts } from './support/free-ports.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { PATH = '' } = process.env;

function run(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): SpawnSyncReturns<string> {
  const ended = spawnSync(program, args, { cwd: ROOT, encoding: 'utf8', env: { PATH, ...environment } });
  if (ended.error !== undefined) throw ended.error;
  return ended;
}

describe('the launcher of the image', () => {
  const launch = async (environment: Record<string, string>, prefix: readonly string[] = []): Promise<string> => {
    const directory = await createTemporaryDirectory();
    const node = join(directory, 'node');
    writeFileSync(node, '#!/bin/sh\necho "$@"\n');
    chmodSync(node, 0o755);
    const [program = '', ...args] = [...prefix, join(ROOT, 'packaging/image/millrace'), 'start', 'a b'];
    const { status, stdout, stderr } = run(program, args, { ...environment, PATH: `${directory}:${PATH}` });
    return `${status} ${stdout}${stderr}`;
  };

  test('hands its arguments on, with the flags of the order', async () => {
    expect(await launch({ MILLRACE_GARBAGE_COLLECTION: 'parallel' })).toBe('0 /app/dist/cli/main.js start a b\n');
    const single = '0 --single-threaded-gc /app/dist/cli/main.js start a b\n';
    expect(await launch({ MILLRACE_GARBAGE_COLLECTION: 'single-threaded' })).toBe(single);
  });

  test('finds out by itself that there is one core', async () => {
    expect(await launch({}, ['taskset', '--cpu-list', '0'])).toContain('--single-threaded-gc');
  });

  test('refuses what it does not know', async () => {
    expect(await launch({ MILLRACE_GARBAGE_COLLECTION: 'fast' })).toMatch(/^2 .*expected one of .*found "fast"\n$/);
  });
});

describe('the health check of the image', () => {
  test('says whether the broker is ready', async () => {
    const directory = await createTemporaryDirectory();
    const [http = 0] = await freePorts(1);
    const check = (): SpawnSyncReturns<string> =>
      run(process.execPath, ['packaging/image/health.mjs'], { HEALTH_URL: `http://127.0.0.1:${http}/health/ready` });
    expect(check()).toMatchObject({ status: 1, stdout: expect.stringContaining('ECONNREFUSED'), stderr: '' });
    const args = ['start', '--port', '0', '--ws-port', '0', '--sqs-port', '0', '--log-format', 'json'];
    await runIn(directory, MAIN, [...args, '--http-port', String(http)]).seen('millrace started');
    expect(check()).toMatchObject({ status: 0, stdout: '{"status":"ready","reasons":[]}\n', stderr: '' });
  });
});

describe('the Dockerfile', () => {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

  test('makes an image of the version of the package, for a user who is not root', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(text).toContain(`ARG VERSION=${version}\n`);
    const last = text.slice(text.lastIndexOf('\nFROM '));
    expect(last).toMatch(/\nUSER 1000:1000\n/);
    expect(last).toMatch(/\nVOLUME \/data\n/);
    expect(last).toMatch(/\nHEALTHCHECK [^\n]+\["node", "\/app\/bin\/health\.mjs"\]\n/);
    const chart = parse(readFileSync(join(ROOT, 'helm/Chart.yaml'), 'utf8'));
    expect(chart).toMatchObject({ version, appVersion: version });
  });

  test('copies nothing that .dockerignore keeps away', () => {
    const kept = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
    expect(copied.length).toBeGreaterThan(8);
    for (const source of copied) {
      expect(kept.filter((path) => source === path || source.startsWith(`${path}/`))).toHaveLength(1);
    }
  });

  test('has a configuration that the broker takes', () => {
    const { stdout, status } = run(process.execPath, [MAIN, 'check', '--config', 'packaging/image/millrace.yaml']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('storage: /data (fsync)')]);
  });
});

describe('compose.yaml', () => {
  test('is taken by docker-compose', () => {
    expect(run('docker-compose', ['--file', 'compose.yaml', 'config', '--quiet'])).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test('names programs that there are, with flags that they take', () => {
    const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'));
    const [simulator, ...flags] = services.simulator.command;
    const help = run(process.execPath, [simulator.replace('/app/', ROOT), ...flags, '--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(services.worker.command[0]).toBe('/app/build/examples/worker-archive.js');
  });

  test('lets what the simulated stations publish reach the worker', async () => {
    const directory = await createTemporaryDirectory();
    const config = join(directory, 'millrace.yaml');
    cpSync(join(ROOT, 'packaging/compose/millrace.yaml'), config);
    const environment = { MILLRACE__LISTENERS__TCP__HOST: '127.0.0.1', MILLRACE__HTTP__HOST: '127.0.0.1' };
    const args = ['start', '--config', config, '--port', '0', '--ws-port', '0', '--http-port', '0', '--data', 'data'];
    const broker = runIn(directory, MAIN, [...args, '--log-format', 'json'], environment);
    await broker.seen('millrace started');
    const report = broker.records().find(({ msg }) => msg === 'millrace started') as {
      readonly listeners: readonly { readonly url: string }[];
    };
    const url = report.listeners[0]?.url ?? '';
    const worker = runIn(directory, join(ROOT, 'build/examples/worker-archive.js'), ['archive'], { MQTT_URL: url });
    const load = ['--url', url, '--devices', '3', '--readings', '2', '--speed', 'max'];
    const simulator = runIn(directory, join(ROOT, 'build/devices-sim/main.js'), load);
    expect([await simulator.exitCode(), simulator.stdout]).toEqual([0, expect.stringContaining('0 lost')]);
    const archived = (): string[] => readFileSync(join(directory, 'archive'), 'utf8').trim().split('\n');
    await expect.poll(() => archived().length, { timeout: 10_000 }).toBe(6);
    worker.child.kill('SIGTERM');
    expect(await worker.exitCode()).toBe(0);
    expect(archived().map((line) => JSON.parse(line).topic)).toEqual(
      Array.from({ length: 6 }, () => expect.stringMatching(/^telemetry\//)),
    );
  });
});

describe('the systemd unit', () => {
  /** With Node.js where it is on this machine. */
  const unit = async (): Promise<string> => {
    const directory = await createTemporaryDirectory();
    const file = join(directory, 'millrace.service');
    const text = readFileSync(join(ROOT, 'packaging/millrace.service'), 'utf8');
    writeFileSync(file, text.replaceAll('/usr/bin/node', process.execPath));
    return file;
  };

  test('is understood by systemd, to the last line', async () => {
    const file = await unit();
    expect(run('systemd-analyze', ['verify', '--man=no', file])).toMatchObject({ status: 0, stderr: '', stdout: '' });
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n[Service]\nProtectSistem=strict\n`);
    expect(run('systemd-analyze', ['verify', '--man=no', file]).stderr).toContain('ProtectSistem');
  });

  test('does not try a wrong configuration again and again', async () => {
    const text = readFileSync(join(ROOT, 'packaging/millrace.service'), 'utf8');
    // Of what runs before the broker, systemd does not ask RestartPreventExitStatus.
    expect(text).not.toMatch(/^ExecStartPre=/m);
    expect(text).toMatch(/^RestartPreventExitStatus=2$/m);
    const directory = await createTemporaryDirectory();
    const config = join(directory, 'millrace.yaml');
    writeFileSync(config, 'listners: {}\n');
    const broker = runIn(directory, MAIN, ['start', '--config', config, '--data', join(directory, 'data')]);
    expect([await broker.exitCode(), broker.stderr]).toEqual([2, expect.stringContaining('listners')]);
  });

  test('gives the broker little to do harm with', async () => {
    const { status, stdout } = run('systemd-analyze', ['security', '--offline=true', '--threshold=20', await unit()]);
    expect([status, stdout]).toEqual([0, expect.stringContaining('Overall exposure level')]);
  });

  test('leaves the broker every system call that it makes', async () => {
    const directory = await createTemporaryDirectory();
    const trace = join(directory, 'trace');
    const strace = ['-f', '-qq', '--summary-only', '--summary-columns=name', '-o', trace];
    const ports = ['--port', '0', '--ws-port', '0', '--sqs-port', '0', '--http-port', '0'];
    const traced = spawn('strace', [...strace, process.execPath, MAIN, 'start', ...ports, '--log-format', 'json'], {
      cwd: directory,
      env: { PATH },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(traced, 'exit');
    onTestFinished(() => void traced.kill('SIGKILL'));
    for await (const chunk of traced.stdout) if (String(chunk).includes('millrace started')) break;
    const broker = Number(readFileSync(`/proc/${traced.pid}/task/${traced.pid}/children`, 'utf8'));
    process.kill(broker, 'SIGTERM');
    expect(await ended).toEqual([0, null]);
    const made = [...readFileSync(trace, 'utf8').matchAll(/^\s*([a-z_0-9]+)\s*$/gm)].map(([, name = '']) => name);
    expect(made).toContain('epoll_ctl');
    const group = (name: string): Set<string> =>
      new Set(
        [...run('systemd-analyze', ['syscall-filter', name]).stdout.matchAll(/^ {4}(@?[a-z_0-9-]+)$/gm)].map(
          ([, each = '']) => each,
        ),
      );
    const expanded = (name: string): Set<string> =>
      new Set([...group(name)].flatMap((each) => (each.startsWith('@') ? [...expanded(each)] : [each])));
    const filters = [...readFileSync(await unit(), 'utf8').matchAll(/^SystemCallFilter=(~?)(.+)$/gm)];
    // Each takes away from what those before allow, or adds to it.
    const allowed = new Set<string>();
    for (const [, sign, list = ''] of filters) {
      const names = list.split(' ').flatMap((each) => (each.startsWith('@') ? [...expanded(each)] : [each]));
      for (const name of names) {
        if (sign === '~') allowed.delete(name);
        else allowed.add(name);
      }
    }
    expect(allowed.has('reboot')).toBe(false);
    // Made by the threads that check passwords: without it they hold up messages.
    expect(allowed.has('setpriority')).toBe(true);
    const isHeading = (name: string): boolean => name === 'syscall' || name === 'total';
    expect(made.filter((name) => !isHeading(name) && !allowed.has(name))).toEqual([]);
  });
});
