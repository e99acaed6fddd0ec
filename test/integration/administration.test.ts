/** Users, roles and bans, changed by HTTP and by the command line while a broker runs and clients are connected. */
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hashByPbkdf2 } from '../../src/auth/password-hash.js';
import { deriveCredential } from '../../src/auth/scram-credential.js';
import { SCRAM_SHA_512 } from '../../src/auth/scram-mechanism.js';
import { runAdminCommand } from '../../src/cli/admin-command.js';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { loadConfiguration } from '../../src/cli/config-loader.js';
import { AdministeredBroker } from '../support/administered-broker.js';
import { TOKEN } from '../support/http-world.js';
import { publishPacket } from '../support/publish-packet.js';

const HASH = await hashByPbkdf2('old-secret', 1);
const PASSWORDS = `# ours\nann:${HASH}\n\nbob:${HASH}\n`;
const SCRAM = `# theirs\nbob:${deriveCredential(SCRAM_SHA_512, 'old-secret', Buffer.alloc(16, 1), 4096).text}\n`;
const ROLES = `# reviewed
roles:
  reader:
    - { allow: subscribe, topic: 'a/#' } # all of it
  writer: [{ allow: publish, topic: 'a/b' }]
users:
  ann: [reader] # in the office
  bob: writer
`;

function startWithUsers(): Promise<AdministeredBroker> {
  return AdministeredBroker.start({ passwords: PASSWORDS }, (pathOf) => ({
    auth: { passwordFile: pathOf('passwords') },
  }));
}

function startWithAll(): Promise<AdministeredBroker> {
  return AdministeredBroker.start({ passwords: PASSWORDS, scram: SCRAM, 'roles.yaml': ROLES }, (pathOf) => ({
    auth: { passwordFile: pathOf('passwords'), scram: pathOf('scram') },
    access: { rolesFile: pathOf('roles.yaml') },
  }));
}

describe('users', () => {
  it('can log in as soon as they are there, and the file keeps all else', async () => {
    const broker = await startWithUsers();
    const [, refused] = await broker.connect({ clientId: 'c', username: 'carol', passwordText: 'new-secret' });
    expect(refused).toBe(0x86);
    expect(await broker.call('PUT', 'users/carol', { password: 'new-secret' })).toMatchObject({
      status: 201,
      body: { username: 'carol', credentials: ['sha512-pbkdf2'], roles: [] },
    });
    const [, accepted] = await broker.connect({ clientId: 'c', username: 'carol', passwordText: 'new-secret' });
    expect(accepted).toBe(0);
    expect(broker.read('passwords')).toMatch(/^# ours\nann:\S+\n\nbob:\S+\ncarol:\$7\$1000\$\S+\n$/);
    expect(readdirSync(broker.directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('with a new password, or deleted, lose their connections; others stay', async () => {
    const broker = await startWithUsers();
    const [ann] = await broker.connect({ clientId: 'a', username: 'ann', passwordText: 'old-secret' });
    const [bob] = await broker.connect({ clientId: 'b', username: 'bob', passwordText: 'old-secret' });
    expect((await broker.call('PUT', 'users/ann', { password: 'new-secret', iterations: 7 })).status).toBe(200);
    await ann.expectDisconnect(0x87);
    await bob.barrier();
    expect(broker.read('passwords')).toMatch(/\nann:\$7\$7\$/);
    expect((await broker.connect({ clientId: 'a', username: 'ann', passwordText: 'old-secret' }))[1]).toBe(0x86);
    expect((await broker.connect({ clientId: 'a', username: 'ann', passwordText: 'new-secret' }))[1]).toBe(0);
    expect(await broker.call('DELETE', 'users/bob')).toMatchObject({ status: 200, body: { username: 'bob' } });
    await bob.expectDisconnect(0x87);
    expect(broker.lines.some((line) => line.includes('"reason":"credentials-withdrawn"'))).toBe(true);
    expect((await broker.call('DELETE', 'users/bob')).body).toMatchObject({ code: 'user-not-found', status: 404 });
    expect(broker.read('passwords')).toMatch(/^# ours\nann:\S+\n\n$/);
  });

  it('that are written by hand in between are not lost, and known with the next change', async () => {
    const broker = await startWithUsers();
    broker.write('passwords', `# by hand\ndora:${HASH}\n${PASSWORDS}`);
    await broker.call('PUT', 'users/carol', { password: 'p' });
    expect(broker.read('passwords')).toMatch(/^# by hand\ndora:\S+\n# ours\n[\s\S]*\ncarol:\S+\n$/);
    expect((await broker.call('GET', 'users')).body['users']).toHaveLength(4);
  });

  it('are changed one after the other, however many ask at once', async () => {
    const broker = await startWithUsers();
    const names = Array.from({ length: 20 }, (_, index) => `station-${index}`);
    await Promise.all(names.map((name) => broker.call('PUT', `users/${name}`, { password: name })));
    const { body } = await broker.call('GET', 'users?limit=3&cursor=station-3');
    expect(body).toMatchObject({
      users: [{ username: 'station-4' }, { username: 'station-5' }, { username: 'station-6' }],
      cursor: 'station-6',
    });
    expect((await broker.call('GET', 'users?cursor=station-8')).body).toMatchObject({ cursor: null });
    expect((await broker.connect({ username: 'station-19', passwordText: 'station-19', clientId: 'x' }))[1]).toBe(0);
  });

  it('are the same in the files of passwords and of SCRAM, where they are in both', async () => {
    const broker = await startWithAll();
    expect((await broker.call('GET', 'users/bob')).body).toEqual({
      username: 'bob',
      credentials: ['sha512-pbkdf2', 'SCRAM-SHA-512'],
      roles: ['writer'],
    });
    await broker.call('PUT', 'users/ann', { password: 'p' });
    expect(broker.read('scram')).toBe(SCRAM);
    await broker.call('PUT', 'users/bob', { password: 'p' });
    expect(broker.read('scram')).toMatch(/^# theirs\nbob:SCRAM-SHA-512\$4096:\S+\n$/);
    expect(broker.read('scram')).not.toBe(SCRAM);
    expect((await broker.call('PUT', 'users/carol', { password: 'p' })).body['credentials']).toEqual([
      'sha512-pbkdf2',
      'SCRAM-SHA-256',
    ]);
    await broker.call('DELETE', 'users/bob');
    expect(broker.read('scram')).toMatch(/^# theirs\ncarol:\S+\n$/);
    expect(broker.read('passwords')).not.toContain('bob');
  });

  it.each([
    ['users/a%3Ab', { password: 'p' }, 400, 'invalid-parameter'],
    ['users/a%0Ab', { password: 'p' }, 400, 'invalid-parameter'],
    ['users/%23a', { password: 'p' }, 400, 'invalid-parameter'],
    ['users/a', {}, 422, 'invalid-body'],
    ['users/a', { password: '' }, 422, 'invalid-body'],
    ['users/a', { password: 'p'.repeat(4097) }, 422, 'invalid-body'],
    ['users/a', { password: '\ud800' }, 422, 'invalid-body'],
    ['users/a', { password: 'hunter2', hash: 'md5' }, 422, 'invalid-body'],
    ['users/a', { password: 'hunter2', hash: 'argon2id', iterations: 5 }, 422, 'invalid-body'],
    ['users/a', { password: ['hunter2'] }, 422, 'invalid-body'],
    ['users/a', { password: 'hunter2', more: 1 }, 422, 'invalid-body'],
    ['users/a', '{"password": hunter2}', 400, 'invalid-json'],
    ['users/a', '{"password": "hunter2"', 400, 'invalid-json'],
    ['users/a', `{"password": "${'hunter2'.repeat(50_000)}"}`, 413, 'body-too-large'],
    ['users/a?force=1', { password: 'hunter2' }, 400, 'invalid-parameter'],
  ])('cannot be put as %s (%#)', async (path, body, status, code) => {
    const broker = await startWithUsers();
    const reply = await broker.call('PUT', path, body);
    expect(reply).toMatchObject({ status, body: { code } });
    expect(reply.text).not.toContain('hunter2');
    expect(broker.read('passwords')).toBe(PASSWORDS);
    expect(broker.lines.join()).not.toContain('hunter2');
  });

  it.each(['__proto__', 'constructor', 'ü€ x', 'a/b', '%'])('can be called %s', async (name) => {
    const broker = await startWithUsers();
    const path = `users/${encodeURIComponent(name)}`;
    expect((await broker.call('PUT', path, { password: 'p' })).status).toBe(201);
    expect((await broker.connect({ clientId: 'x', username: name, passwordText: 'p' }))[1]).toBe(0);
    expect((await broker.call('GET', path)).body).toMatchObject({ username: name });
    expect((await broker.call('DELETE', path)).status).toBe(200);
    expect(broker.read('passwords')).toBe(PASSWORDS);
  });

  it('are where no file is set a problem that says which setting is needed', async () => {
    const broker = await AdministeredBroker.start({}, () => ({}));
    for (const [method, path] of [
      ['GET', 'users'],
      ['GET', 'users/a'],
      ['DELETE', 'users/a'],
    ] as const) {
      expect(await broker.call(method, path)).toMatchObject({
        status: 409,
        body: { code: 'not-administered', detail: 'There is no file of users: set auth.passwordFile, or auth.scram' },
      });
    }
    expect((await broker.call('GET', 'roles')).body).toMatchObject({
      code: 'not-administered',
      detail: 'There is no file of roles: set access.rolesFile',
    });
  });

  it('are left as they are while something else in the file is wrong', async () => {
    const broker = await startWithUsers();
    const wrong = `${PASSWORDS}eve:hunter2\n`;
    broker.write('passwords', wrong);
    const reply = await broker.call('PUT', 'users/ann', { password: 'p' });
    expect(reply).toMatchObject({
      status: 409,
      body: { code: 'file-unusable', detail: expect.stringMatching(/passwords:5:5: expected a hash/) },
    });
    expect(reply.text).not.toContain('hunter2');
    expect(broker.read('passwords')).toBe(wrong);
  });

  it('are left as they are if the file cannot be replaced, and the answer says why', async () => {
    const name = 'p'.repeat(250);
    const broker = await AdministeredBroker.start({ [name]: PASSWORDS }, (pathOf) => ({
      auth: { passwordFile: pathOf(name) },
    }));
    const [ann] = await broker.connect({ clientId: 'a', username: 'ann', passwordText: 'old-secret' });
    // There is no room for the name of a draft beside it.
    expect(await broker.call('PUT', 'users/ann', { password: 'p' })).toMatchObject({
      status: 409,
      body: { code: 'file-not-written', detail: expect.stringMatching(/p{250} cannot be written \(ENAMETOOLONG\)$/) },
    });
    expect(await broker.call('DELETE', 'users/ann')).toMatchObject({ status: 409, body: { code: 'file-not-written' } });
    expect(broker.read(name)).toBe(PASSWORDS);
    await ann.barrier();
    expect((await broker.connect({ clientId: 'x', username: 'ann', passwordText: 'old-secret' }))[1]).toBe(0);
  });

  it('are told of without secrets: in no answer and in no line of the log', async () => {
    const broker = await startWithAll();
    const answers = [
      await broker.call('PUT', 'users/ann', { password: 'top-secret' }),
      await broker.call('PUT', 'users/bob', { password: 'top-secret' }),
      await broker.call('GET', 'users'),
    ].map(({ text }) => text);
    const told = answers.join() + broker.lines.join();
    expect(told).not.toContain('top-secret');
    for (const file of ['passwords', 'scram']) {
      for (const secret of broker.read(file).match(/[A-Za-z0-9+/]{16,}/g) ?? []) expect(told).not.toContain(secret);
    }
    const audit = broker.lines.find((line) => line.includes('/api/v1/users/ann'));
    expect(JSON.parse(audit ?? '{}')).toMatchObject({
      audit: true,
      event: 'administration',
      method: 'PUT',
      path: '/api/v1/users/ann',
      status: 200,
      who: 'admin token',
    });
  });

  it('keep the mode of their file', async () => {
    const broker = await startWithUsers();
    const file = join(broker.directory, 'passwords');
    const { mode } = statSync(file);
    await broker.call('PUT', 'users/ann', { password: 'p' });
    expect(statSync(file).mode).toBe(mode);
  });
});

describe('roles', () => {
  it('change what a connected client may do, at once', async () => {
    const broker = await startWithAll();
    const [ann] = await broker.connect({ clientId: 'a', username: 'ann', passwordText: 'old-secret' });
    const [bob] = await broker.connect({ clientId: 'b', username: 'bob', passwordText: 'old-secret' });
    await ann.subscribe('a/#', 1);
    const publish = async (topic: string) => {
      bob.send(publishPacket(topic, 'x', { qos: 1, messageId: bob.nextPacketId() }));
      return (await bob.expectPacket('puback')).reasonCode;
    };
    expect(await publish('a/b')).toBe(0);
    expect(await publish('a/c')).toBe(0x87);
    const reply = await broker.call('PUT', 'roles/writer', { rules: [{ allow: 'publish', topic: ['a/c', 'a/d'] }] });
    expect(reply).toMatchObject({
      status: 200,
      body: { role: 'writer', rules: [{ allow: ['publish'], topic: ['a/c', 'a/d'] }], users: 1, everybody: false },
    });
    expect(await publish('a/b')).toBe(0x87);
    expect(await publish('a/c')).toBe(0);
    await ann.barrier();
    expect(ann.takeAll()).toHaveLength(2);
    await broker.call('DELETE', 'roles/reader/users/ann');
    // No matching subscribers.
    expect(await publish('a/c')).toBe(0x10);
    await ann.barrier();
    expect(ann.takeAll()).toEqual([]);
    await broker.call('PUT', 'roles/reader/everybody');
    expect(await publish('a/c')).toBe(0);
    await ann.barrier();
    expect(ann.takeAll()).toHaveLength(1);
    expect(broker.read('roles.yaml')).toBe(`# reviewed
roles:
  reader:
    - { allow: subscribe, topic: 'a/#' } # all of it
  writer:
    - { allow: publish, topic: [a/c, a/d] }
users:
  bob: writer
everybody: [reader]
`);
  });

  it('are created, given, listed, and deleted when nobody has them any more', async () => {
    const broker = await startWithAll();
    const rules = [{ allow: ['send', 'receive'], queue: 'jobs-*' }];
    expect((await broker.call('PUT', 'roles/__proto__', { rules })).status).toBe(201);
    for (const path of ['users/carol', 'users/__proto__', 'anonymous']) {
      expect((await broker.call('PUT', `roles/__proto__/${path}`)).status).toBe(200);
    }
    expect((await broker.call('GET', 'roles/__proto__')).body).toEqual({
      role: '__proto__',
      rules: [{ allow: ['send', 'receive'], queue: ['jobs-*'] }],
      users: 2,
      everybody: false,
      anonymous: true,
    });
    expect((await broker.call('GET', 'roles/__proto__/users?limit=1')).body).toEqual({
      users: ['__proto__'],
      cursor: '__proto__',
    });
    const list = (await broker.call('GET', 'roles?limit=2')).body as { roles: { role: string }[]; cursor: unknown };
    expect(list.roles.map(({ role }) => role)).toEqual(['__proto__', 'reader']);
    expect(list.cursor).toBe('reader');
    expect((await broker.call('DELETE', 'roles/__proto__')).body).toMatchObject({
      status: 409,
      code: 'role-in-use',
      detail: 'The role "__proto__" is given to anonymous, "carol", "__proto__": take it from them first',
    });
    for (const path of ['users/carol', 'users/__proto__', 'anonymous']) {
      await broker.call('DELETE', `roles/__proto__/${path}`);
    }
    expect((await broker.call('DELETE', 'roles/__proto__/anonymous')).status).toBe(404);
    expect((await broker.call('DELETE', 'roles/__proto__')).status).toBe(200);
    expect((await broker.call('DELETE', 'roles/__proto__')).body).toMatchObject({ code: 'role-not-found' });
    expect(broker.read('roles.yaml')).toBe(ROLES);
  });

  it.each([
    [
      { rules: [{ allow: 'pubish', topic: 'a' }] },
      422,
      /roles\.new\[0\]\.allow: expected one of publish.*did you mean "publish"/,
    ],
    [{ rules: [{ allow: 'publish', topic: 'a#' }] }, 422, /roles\.new\[0\]\.topic: /],
    [{ rules: [{ allow: 'publish' }] }, 422, /roles\.new\[0\]: a rule has either topic or queue/],
    [{ rules: [{ alow: 'publish', topic: 'a' }] }, 422, /alow/],
    [{ rules: 'all' }, 422, /rules/],
    [{}, 422, /rules/],
  ])('that make no sense are refused, with the reason: %j', async (body, status, detail) => {
    const broker = await startWithAll();
    expect(await broker.call('PUT', 'roles/new', body)).toMatchObject({
      status,
      body: { code: 'invalid-body', detail: expect.stringMatching(detail) },
    });
    expect(broker.read('roles.yaml')).toBe(ROLES);
  });

  it('are left as they are while something else in the file is wrong, or is not there', async () => {
    const broker = await startWithAll();
    expect((await broker.call('PUT', 'roles/none/users/ann')).body).toMatchObject({ code: 'role-not-found' });
    expect((await broker.call('PUT', 'roles/a%0Ab', { rules: [] })).body).toMatchObject({ code: 'invalid-parameter' });
    broker.write('roles.yaml', `${ROLES}everybody: [readr]\n`);
    expect((await broker.call('PUT', 'roles/new', { rules: [] })).body).toMatchObject({
      code: 'file-unusable',
      detail: expect.stringMatching(
        /roles\.yaml:9:13: everybody\[0\]: there is no role "readr" - did you mean "reader"\?$/,
      ),
    });
    broker.write('roles.yaml', 'roles: [');
    expect((await broker.call('PUT', 'roles/new', { rules: [] })).body).toMatchObject({ code: 'file-unusable' });
    expect((await broker.call('GET', 'roles/reader')).status).toBe(200);
  });
});

describe('bans', () => {
  it('keep clients out and throw them out, also after a restart, until they are lifted', async () => {
    const broker = await AdministeredBroker.start({}, () => ({}));
    const [client] = await broker.connect({ clientId: 'meter 17/x' });
    const path = `bans/client/${encodeURIComponent('meter 17/x')}`;
    expect(await broker.call('PUT', path, { reason: 'stolen' })).toMatchObject({
      status: 201,
      body: { kind: 'client', value: 'meter 17/x', origin: 'administration', reason: 'stolen', until: null },
    });
    await client.expectDisconnect(0x98);
    await broker.stop();
    await broker.start();
    expect((await broker.connect({ clientId: 'meter 17/x' }))[1]).toBe(0x8a);
    const changed = await broker.call('PUT', path, { forMs: 3_600_000 });
    expect(changed).toMatchObject({ status: 200, body: { reason: null, until: expect.stringMatching(/Z$/) } });
    expect(await broker.call('DELETE', path)).toMatchObject({ status: 200, body: { value: 'meter 17/x' } });
    expect((await broker.connect({ clientId: 'meter 17/x' }))[1]).toBe(0);
    expect((await broker.call('DELETE', path)).body).toMatchObject({ code: 'ban-not-found', status: 404 });
  });

  it('are listed page by page, those of the configuration among them, which alone can lift them', async () => {
    const broker = await AdministeredBroker.start({}, () => ({
      defence: { banned: [{ user: 'eve', reason: 'left' }] },
    }));
    await broker.call('PUT', `bans/address/${encodeURIComponent('203.0.113.0/24')}`);
    await broker.call('PUT', 'bans/address/::ffff:192.0.2.7', {});
    expect((await broker.call('GET', 'bans?limit=2')).body).toMatchObject({
      bans: [{ value: '192.0.2.7' }, { value: '203.0.113.0/24' }],
      cursor: 'address 203.0.113.0/24',
    });
    expect((await broker.call('GET', 'bans?cursor=address%20203.0.113.0/24')).body).toEqual({
      bans: [{ kind: 'user', value: 'eve', origin: 'configuration', reason: 'left', since: null, until: null }],
      cursor: null,
    });
    for (const method of ['PUT', 'DELETE']) {
      expect((await broker.call(method, 'bans/user/eve')).body).toMatchObject({ code: 'ban-configured', status: 409 });
    }
    expect((await broker.call('DELETE', 'bans/address/192.0.2.7')).status).toBe(200);
  });

  it.each([
    ['bans/address/nowhere', {}, 'invalid-ban'],
    ['bans/planet/mars', {}, 'invalid-parameter'],
    ['bans/client/a', { forMs: 0 }, 'invalid-body'],
    ['bans/client/a', { forMs: 1e15 }, 'invalid-body'],
    ['bans/client/a', { reason: 'x'.repeat(1001) }, 'invalid-body'],
    ['bans/client/a', { until: 'tomorrow' }, 'invalid-body'],
  ])('%s is a problem where it makes no sense (%#)', async (path, body, code) => {
    const broker = await AdministeredBroker.start({}, () => ({}));
    expect((await broker.call('PUT', path, body)).body).toMatchObject({ code });
    expect((await broker.call('GET', 'bans')).body).toEqual({ bans: [], cursor: null });
  });
});

describe('the command line', () => {
  it('lists, sets and deletes users', async () => {
    const broker = await startWithAll();
    expect((await broker.command(['users', 'ls'])).printed).toBe(
      'USER  CREDENTIALS                   ROLES\nann   sha512-pbkdf2                 reader\nbob   sha512-pbkdf2, SCRAM-SHA-512  writer\n',
    );
    expect(await broker.command(['users', 'set', 'carol', '--iterations', '5'], { password: 'p' })).toMatchObject({
      outcome: true,
      printed: 'the password of carol is set: sha512-pbkdf2, SCRAM-SHA-256\n',
    });
    expect(broker.read('passwords')).toContain('carol:$7$5$');
    expect(await broker.command(['users', 'set', 'carol'])).toMatchObject({
      outcome: { reason: 'no password was given' },
    });
    expect(await broker.command(['users', 'rm', 'carol'])).toMatchObject({
      outcome: { reason: 'users rm asks on a terminal only: say --yes' },
    });
    expect(await broker.command(['users', 'rm', 'carol'], { answer: false })).toMatchObject({
      outcome: false,
      printed: 'nothing was done\n',
    });
    expect(await broker.command(['users', 'rm', 'carol'], { answer: true })).toMatchObject({ outcome: true });
    expect(JSON.parse((await broker.command(['users', 'ls', '--json'])).printed)).toMatchObject({
      users: [{ username: 'ann' }, { username: 'bob' }],
    });
    await expect(broker.command(['users', 'show', 'carol'])).rejects.toThrow('There is no user "carol"');
    await expect(broker.command(['users', 'rm', '..', '--yes'])).rejects.toThrow('".." cannot be asked for by HTTP');
  });

  it('shows, sets, gives and takes roles', async () => {
    const broker = await startWithAll();
    expect((await broker.command(['roles', 'ls'])).printed).toBe(
      'ROLE    RULES  USERS  AND\nreader      1      1  -\nwriter      1      1  -\n',
    );
    const shown = await broker.command(['roles', 'show', 'writer']);
    expect(shown.printed).toBe('# users: 1, and: -\n- allow: publish\n  topic: a/b\n');
    broker.write('rules', shown.printed.replace('a/b', 'x/y'));
    const file = join(broker.directory, 'rules');
    expect((await broker.command(['roles', 'set', 'editor', file])).printed).toBe('the role editor has 1 rule\n');
    expect((await broker.command(['roles', 'grant', 'editor', 'ann'])).printed).toBe(
      'the user ann has the role editor\n',
    );
    expect((await broker.command(['roles', 'grant', 'editor', '--everybody'])).printed).toBe(
      'everybody has the role editor\n',
    );
    expect((await broker.command(['roles', 'show', 'editor', '--users'])).printed).toBe('ann\n');
    expect(broker.read('roles.yaml')).toContain('ann: [reader, editor] # in the office');
    await expect(broker.command(['roles', 'rm', 'editor', '--yes'])).rejects.toThrow(/is given to everybody, "ann"/);
    for (const words of [['grant', 'editor'], ['revoke'], ['grant', 'editor', 'ann', '--everybody']]) {
      expect((await broker.command(['roles', ...words])).outcome).toMatchObject({
        reason: expect.stringMatching(/needs a ROLE, and one of USER, --everybody and --anonymous$/),
      });
    }
    await broker.command(['roles', 'revoke', 'editor', 'ann']);
    await broker.command(['roles', 'revoke', 'editor', '--everybody']);
    expect(await broker.command(['roles', 'rm', 'editor'], { answer: true })).toMatchObject({
      asked: ['Delete the role editor? (yes/no) '],
      printed: 'the role editor is deleted\n',
    });
    expect(broker.read('roles.yaml')).toBe(ROLES);
    broker.write('rules', 'a: b');
    expect((await broker.command(['roles', 'set', 'editor', file])).outcome).toMatchObject({
      reason: `${file}: expected a list of rules`,
    });
  });

  it('lists, sets and lifts bans', async () => {
    const broker = await AdministeredBroker.start({}, () => ({}));
    expect((await broker.command(['bans', 'ls'])).printed).toBe('nobody is banned\n');
    const added = await broker.command(['bans', 'add', 'client', 'm', '--reason', 'stolen\u001b[2J', '--for', '1h']);
    expect(added.printed).toMatch(/^the client m is banned until \S+Z\n$/);
    const { printed } = await broker.command(['bans', 'ls']);
    expect(printed).toMatch(
      /^KIND +VALUE +BY +SINCE +UNTIL +REASON\nclient +m +administration +\S+Z +\S+Z +stolen\ufffd\[2J\n$/,
    );
    expect((await broker.command(['bans', 'add', 'user', 'eve'])).printed).toBe(
      'the user eve is banned until that is lifted\n',
    );
    expect((await broker.command(['bans', 'rm', 'user', 'eve'])).printed).toBe('the user eve is banned no more\n');
    expect((await broker.command(['bans', 'add', 'user', 'x', '--for', 'ever'])).outcome).toMatchObject({
      reason: 'flag --for: expected a time such as 30m or 7d, found "ever"',
    });
  });
});

describe('the commands', () => {
  it.each([
    ['"what"', ['users', 'ls']],
    ['{}', ['users', 'ls']],
    ['{"users":{},"cursor":null}', ['users', 'ls']],
    ['{"username":"a"}', ['users', 'show', 'a']],
    ['{"username":"a"}', ['users', 'set', 'a']],
    ['[]', ['roles', 'ls']],
    ['{}', ['roles', 'show', 'a']],
    ['{"bans":[null],"cursor":null}', ['bans', 'ls']],
    ['{"kind":"client"}', ['bans', 'add', 'client', 'a']],
    ['{"queues":1,"cursor":null,"damaged":[]}', ['queues', 'ls']],
  ])('say so if %s is all that is answered', async (answer, words) => {
    const server = createServer((_request, response) => response.end(answer));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const request = parseCommandLine([...words, '--url', url]);
    if (request.kind !== 'run') throw new RangeError(words.join(' '));
    const { settings } = loadConfiguration({ file: undefined, environment: {}, flags: new Map() });
    const run = runAdminCommand(
      { ...request, command: request.command.name },
      { ...settings, http: { ...settings.http, adminToken: TOKEN } },
      {
        print: () => {},
        confirm: () => null,
        readPassword: async () => 'secret',
        nowMs: () => 0,
        sleep: async () => {},
      },
    );
    await expect(run).rejects.toThrow(`${url} answers something else, and is no Millrace broker of this version`);
  });

  it('take no empty password', async () => {
    const broker = await startWithUsers();
    const { outcome } = await broker.command(['users', 'set', 'ann'], { password: '' });
    expect(outcome).toMatchObject({ reason: 'the password is empty' });
  });
});
