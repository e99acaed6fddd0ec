/** The built executable and the built `start`, as processes: what they print, and the code they exit with. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { MAIN, type Run, runIn } from '../../support/millrace-process.js';

const FAKE = fileURLToPath(new URL('./fake-broker.mjs', import.meta.url));
const VERSION = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Where the processes run, so that none of them leaves its data in the repository. */
const DIRECTORY = mkdtempSync(join(tmpdir(), 'millrace-processes-'));
afterAll(() => rmSync(DIRECTORY, { recursive: true, force: true }));

function run(script: string, args: readonly string[], environment?: Record<string, string>, input?: string): Run {
  return runIn(DIRECTORY, script, args, environment, input);
}

describe('millrace', () => {
  test('prints its version and its help and exits with 0', async () => {
    const [version, help, commandHelp] = [
      run(MAIN, ['--version']),
      run(MAIN, ['--help']),
      run(MAIN, ['check', '--help']),
    ];
    expect(await version.exitCode()).toBe(0);
    expect(version.stdout).toBe(`${VERSION}\n`);
    expect(await help.exitCode()).toBe(0);
    expect(help.stdout).toContain('Usage: millrace [COMMAND] [FLAGS]');
    expect(await commandHelp.exitCode()).toBe(0);
    expect(commandHelp.stdout).toContain('Usage: millrace check [FLAGS]');
  });

  test('check says that the configuration is ok, what listens and what is stored', async () => {
    const check = run(MAIN, ['check', '--port', '0', '--data', '/var/lib/x']);
    expect(await check.exitCode()).toBe(0);
    expect(check.stdout).toBe(
      'configuration ok\n  file: none, defaults only\n  listener tcp: tcp 127.0.0.1:0\n  listener ws: ws 127.0.0.1:8083/mqtt\n  http: 127.0.0.1:8080\n  sqs: 127.0.0.1:9324\n  storage: /var/lib/x (fsync)\n',
    );
  });

  test('check warns of what lets in more than may be meant, and is content all the same', async () => {
    const open = { MILLRACE__LISTENERS__TCP__HOST: '0.0.0.0', MILLRACE__AUTH__ANONYMOUS: 'true' };
    const check = run(MAIN, ['check'], { ...open, MILLRACE__HTTP__HOST: '0.0.0.0' });
    expect(await check.exitCode()).toBe(0);
    expect(check.stdout).toContain(
      '  warning: listener "tcp" (mqtt://0.0.0.0:1883) lets anybody in who can reach it: auth.anonymous is true\n',
    );
    expect(check.stdout).toContain('  warning: HTTP on 0.0.0.0 has no TLS');
    expect(check.stdout).not.toContain('listener "ws"');
  });

  test('reports every problem on standard error and exits with 2', async () => {
    const check = run(MAIN, ['check', '--port', 'x'], { MILLRACE__LOGG__LEVEL: 'debug' });
    const start = run(MAIN, ['--config', '/nonexistent/config.yaml']);
    expect(await check.exitCode()).toBe(2);
    expect(check.stdout).toBe('');
    expect(check.stderr).toBe(`environment MILLRACE__LOGG__LEVEL: unknown setting - did you mean "MILLRACE__LOG"?
flag --port: listeners.tcp.port: expected a whole number from 0 to 65535, found "x"
millrace: 2 problems in the configuration
`);
    expect(await start.exitCode()).toBe(2);
    expect(start.stderr).toBe(
      '/nonexistent/config.yaml: there is no such file\nmillrace: 1 problem in the configuration\n',
    );
  });

  test('exits with 2 and a suggestion when misused', async () => {
    const misuse = run(MAIN, ['chekc', '--prot=1']);
    expect(await misuse.exitCode()).toBe(2);
    expect(misuse.stderr).toBe(
      'millrace: unknown flag --prot - did you mean "--port"?\nmillrace: unknown command chekc - did you mean "check"?\nSee millrace --help.\n',
    );
  });

  test('scram prints a line that start takes, and never the password', async () => {
    const scram = run(MAIN, ['scram', 'station-7'], {}, 'correct horse\n');
    expect(await scram.exitCode()).toBe(0);
    expect(scram.stdout).toMatch(/^station-7:SCRAM-SHA-256\$4096:\S+\n$/);
    expect(scram.stdout + scram.stderr).not.toContain('horse');
    const users = join(DIRECTORY, 'users');
    writeFileSync(users, scram.stdout);
    const check = run(MAIN, ['check'], { MILLRACE__AUTH__SCRAM: users });
    expect(await check.exitCode()).toBe(0);
    expect(check.stdout).toContain('  SCRAM-SHA-256: 1 user\n');
    const start = run(
      MAIN,
      ['--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0', '--log-format', 'json'],
      {
        MILLRACE__AUTH__SCRAM: users,
      },
    );
    await start.seen('millrace started');
    expect(start.records().find(({ msg }) => msg === 'millrace started')).toMatchObject({
      authentication: ['SCRAM-SHA-256', 'SCRAM-SHA-512'],
    });
    start.child.kill('SIGTERM');
    expect(await start.exitCode()).toBe(0);
  });

  test('passwd makes a file that start takes, and reads again on SIGHUP', async () => {
    const users = join(DIRECTORY, 'passwords');
    const passwd = run(MAIN, ['passwd', users, 'station-7'], {}, 'correct horse\n');
    expect(await passwd.exitCode()).toBe(0);
    expect(passwd.stdout).toBe(`added station-7 in ${users}\n`);
    const ports = ['--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0'];
    const start = run(MAIN, [...ports, '--log-format', 'json'], { MILLRACE__AUTH__PASSWORD_FILE: users });
    await start.seen('millrace started');
    expect(start.records().find(({ msg }) => msg === 'millrace started')).toMatchObject({
      authentication: ['password file'],
      anonymousClients: 'refused',
    });
    const change = run(MAIN, ['passwd', users, 'station-7', '--delete']);
    expect(await change.exitCode()).toBe(0);
    start.child.kill('SIGHUP');
    await start.seen('users with passwords have been read again');
    start.child.kill('SIGTERM');
    expect(await start.exitCode()).toBe(0);
    const missing = run(MAIN, ['passwd', users]);
    expect(await missing.exitCode()).toBe(2);
    expect(missing.stderr).toContain('passwd needs a USER');
  });

  test('scram without a password exits with 2', async () => {
    const scram = run(MAIN, ['scram', 'station-7'], {}, '');
    expect(await scram.exitCode()).toBe(2);
    expect(scram.stderr).toBe('millrace: the password is empty\n');
    expect(scram.stdout).toBe('');
  });

  test('prints the JSON Schema and the effective configuration', async () => {
    const [schema, print] = [run(MAIN, ['config', 'schema']), run(MAIN, ['config', 'print', '--port', '7'])];
    expect(await schema.exitCode()).toBe(0);
    expect(JSON.parse(schema.stdout)).toMatchObject({ title: 'Millrace configuration', additionalProperties: false });
    expect(await print.exitCode()).toBe(0);
    expect(print.stdout).toContain('port: 7 # flag --port\n');
  });
});

describe('millrace start', () => {
  test('ends on a signal although nobody reads its log any more', async () => {
    const start = run(MAIN, [
      '--port',
      '0',
      '--ws-port',
      '0',
      '--http-port',
      '0',
      '--sqs-port',
      '0',
      '--data',
      join(DIRECTORY, 'unread'),
    ]);
    await start.seen('millrace started');
    const ended = once(start.child, 'exit');
    start.child.stdout?.destroy();
    start.child.stderr?.destroy();
    start.child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('ends with 1 by an error that nobody caught although nobody reads its log', async () => {
    const start = run(FAKE, ['uncaught-later', 'json']);
    await start.seen('millrace started');
    const ended = once(start.child, 'exit');
    start.child.stdout?.destroy();
    start.child.stderr?.destroy();
    start.child.kill('SIGUSR2');
    expect(await ended).toEqual([1, null]);
  });

  test('runs the broker of the configuration, and says where its data is', async () => {
    const data = join(DIRECTORY, 'data');
    const overrides = '[{"filter":"debug/#","durability":"memory"}]';
    const start = run(
      MAIN,
      ['--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0', '--data', data, '--log-format', 'json'],
      {
        MILLRACE__STORAGE__OVERRIDES: overrides,
      },
    );
    await start.seen('millrace started');
    start.child.kill('SIGTERM');
    expect(await start.exitCode()).toBe(0);
    const records = start.records();
    expect(records.find(({ msg }) => msg === 'millrace started')).toMatchObject({
      level: 30,
      storage: { directory: data, durability: 'fsync', overrides: 1 },
    });
    // The topics of $SYS are retained, too, and have never been stored.
    expect(records.map(({ msg }) => msg)).not.toContain('restored from the data directory');
    expect(records.filter(({ level }) => level === 40)).toMatchObject([
      { msg: expect.stringContaining('1 topic filter is stored with less than fsync: debug/#: memory') },
    ]);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops the broker and exits with 0', async (signal) => {
    const start = run(FAKE, ['runs', 'json']);
    await start.seen('millrace started');
    start.child.kill(signal);
    expect(await start.exitCode()).toBe(0);
    const [started, ...rest] = start.records();
    expect(started).toMatchObject({
      version: VERSION,
      node: process.versions.node,
      listeners: [{ name: 'tcp', url: expect.stringMatching(/^mqtt:\/\/127\.0\.0\.1:\d+$/) }],
      anonymousClients: 'loopback only',
    });
    expect(rest.map(({ msg }) => msg)).toEqual(['stopping', 'fake broker stops', 'stopped']);
    // Less than the 10 s after which Docker kills.
    expect(rest[1]).toMatchObject({ graceMs: 8000 });
  });

  test('a second signal exits at once with 1', async () => {
    const start = run(FAKE, ['hangs', 'pretty']);
    await start.seen('npm run sim');
    start.child.kill('SIGTERM');
    await start.seen('fake broker stops');
    start.child.kill('SIGTERM');
    expect(await start.exitCode()).toBe(1);
    expect(start.stdout).toContain('second signal: exiting at once');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s during recovery does not wait for its end', async (signal) => {
    const start = run(FAKE, ['recovers', 'json']);
    await start.seen('fake broker recovers');
    start.child.kill(signal);
    expect(await start.exitCode()).toBe(0);
    const messages = start.records().map(({ msg }) => msg);
    expect(messages.slice(1)).toEqual(['stopping', expect.stringContaining('stopped before the store was recovered')]);
  });

  test('a signal while clients are being let in is not lost', async () => {
    const start = run(FAKE, ['signal-early', 'json']);
    expect(await start.exitCode()).toBe(0);
    expect(start.records().at(-1)).toMatchObject({ msg: 'stopped' });
  });

  test('a broker that fails to stop exits with 1', async () => {
    const start = run(FAKE, ['stop-fails', 'json']);
    await start.seen('millrace started');
    start.child.kill('SIGTERM');
    expect(await start.exitCode()).toBe(1);
    expect(start.records().at(-1)).toMatchObject({ level: 50, err: { message: 'disk full' } });
  });

  test('a port in use is explained, and exits with 1', async () => {
    const [json, pretty, silent] = ['json', 'pretty', 'silent'].map((name) =>
      name === 'silent' ? run(FAKE, ['port-in-use', 'json', name]) : run(FAKE, ['port-in-use', name]),
    ) as [Run, Run, Run];
    const sentence = /listener "tcp" cannot listen on 127\.0\.0\.1:\d+: another program uses this port\..*--port/;
    expect(await json.exitCode()).toBe(1);
    expect(json.records()[0]).toMatchObject({ level: 60, msg: expect.stringMatching(sentence) });
    expect(await pretty.exitCode()).toBe(1);
    expect(pretty.stderr).toMatch(sentence);
    expect(await silent.exitCode()).toBe(1);
    expect(silent.stderr).toMatch(sentence);
  });

  test('an error of ours is told in its own words, and exits with 1', async () => {
    const [json, pretty, silent] = [
      run(FAKE, ['refuses', 'json']),
      run(FAKE, ['refuses', 'pretty']),
      run(FAKE, ['refuses', 'json', 'silent']),
    ];
    const message = './data is in use by another process';
    expect(await json.exitCode()).toBe(1);
    expect(json.records()).toEqual([
      { level: 60, time: expect.any(Number), code: 'ERR_DIRECTORY_IN_USE', msg: message },
    ]);
    expect(json.stderr).toBe('');
    for (const started of [pretty, silent]) {
      expect(await started.exitCode()).toBe(1);
      expect(started.stderr).toBe(`millrace: ${message}\n`);
      expect(started.stdout).toBe('');
    }
  });

  test.each([
    ['fails', 'the broker could not start', 'not like this'],
    ['uncaught', 'uncaught exception', 'nobody caught this'],
    ['rejected', 'unhandled rejection', 'no reason'],
  ])('a broker that %s is logged, flushed and exits with 1', async (behaviour, msg, message) => {
    const start = run(FAKE, [behaviour, 'json']);
    expect(await start.exitCode()).toBe(1);
    expect(start.records().at(-1)).toMatchObject({ level: 60, msg, err: { message } });
  });

  test('the start line is written whatever the level, and nothing when silent', async () => {
    const [error, silent] = [run(FAKE, ['runs', 'json', 'error']), run(FAKE, ['signal-early', 'pretty', 'silent'])];
    await error.seen('millrace started');
    expect(await silent.exitCode()).toBe(0);
    expect(silent.stdout).toBe('');
  });

  test('no colours and no cursor codes reach a pipe', async () => {
    const start = run(FAKE, ['runs', 'pretty']);
    await start.seen('npm run sim');
    expect(start.stdout).not.toContain('\u001b');
    expect(start.stdout).toMatch(/^Millrace .* \(Node .*\)\n\n {2}tcp +mqtt:/);
  });
});
