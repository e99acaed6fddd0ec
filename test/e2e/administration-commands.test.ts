/** `millrace users`, `roles` and `bans` against a broker that runs in a process of its own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test, vi } from 'vitest';
import { type Ended, startIn, stop } from '../support/executable-broker.js';
import { MAIN, runIn } from '../support/millrace-process.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';

// Each command is a process of its own, and the machine may have others to run.
vi.setConfig({ testTimeout: 60_000 });

async function millrace(directory: string, line: string, input = ''): Promise<Ended> {
  const run = runIn(directory, MAIN, line.split(' '), {}, input);
  const code = await run.exitCode();
  return { code, stdout: run.stdout, stderr: run.stderr };
}

test('change what a broker that is killed right after has on the disk', async () => {
  const directory = await createTemporaryDirectory();
  const [passwords, roles] = [join(directory, 'passwords'), join(directory, 'roles.yaml')];
  writeFileSync(passwords, '# ours\n');
  writeFileSync(roles, 'roles:\n  # all\n  all: [{ allow: all, topic: "#" }]\n');
  const environment = {
    MILLRACE__AUTH__PASSWORD_FILE: passwords,
    MILLRACE__ACCESS__ROLES_FILE: roles,
  };
  const started = await startIn(directory, environment);
  expect(await millrace(directory, 'users set ann', 'top-secret\n')).toEqual({
    code: 0,
    stdout: 'the password of ann is set: sha512-pbkdf2\n',
    stderr: '',
  });
  expect(await millrace(directory, 'roles grant all ann')).toMatchObject({ code: 0 });
  expect(await millrace(directory, 'bans add client c-9 --for 1h')).toMatchObject({ code: 0 });
  expect(await millrace(directory, 'users set ann', '')).toMatchObject({
    code: 2,
    stderr: 'millrace: the password is empty\n',
  });
  expect(await millrace(directory, 'users rm ann')).toMatchObject({ code: 2 });
  expect(await millrace(directory, 'users rm bob --yes')).toMatchObject({
    code: 1,
    stderr: 'millrace: There is no user "bob"\n',
  });
  expect(await millrace(directory, 'users')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('users needs a command: users ls, users show, users set or users rm'),
  });
  expect(await stop(started, 'SIGKILL')).toBeNull();
  expect(started.broker.stdout).not.toContain('top-secret');
  expect(readFileSync(passwords, 'utf8')).toMatch(/^# ours\nann:\$7\$1000\$\S+\n$/);
  expect(readFileSync(roles, 'utf8')).toBe(
    'roles:\n  # all\n  all: [{ allow: all, topic: "#" }]\nusers:\n  ann: [all]\n',
  );

  const again = await startIn(directory, environment);
  const options = { username: 'ann', password: 'top-secret', reconnectPeriod: 0 };
  const client = await connectAsync(again.mqtt, { ...options, clientId: 'c-1', protocolVersion: 5 });
  await client.publishAsync('a', 'b', { qos: 1 });
  await client.endAsync();
  await expect(connectAsync(again.mqtt, { ...options, clientId: 'c-9', protocolVersion: 5 }, false)).rejects.toThrow();
});
