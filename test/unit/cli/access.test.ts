/** The section `access`: its files, what is wrong with them, taking them into use anew, and asking them. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { AccessControl } from '../../../src/auth/access/access-control.js';
import { AccessMisuse, accessAnswerText, testAccess } from '../../../src/cli/access-command.js';
import { readAccessRules } from '../../../src/cli/access-files.js';
import { AccessReload } from '../../../src/cli/access-reload.js';
import type { AccessSettings } from '../../../src/cli/access-schema.js';
import { parseCommandLine } from '../../../src/cli/command-line.js';
import { loadConfiguration } from '../../../src/cli/config-loader.js';
import { problemText } from '../../../src/cli/configuration-error.js';
import { FileWatch } from '../../../src/transport/tls/file-watch.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MAIN, runIn } from '../../support/millrace-process.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;

beforeEach(async () => {
  directory = await createTemporaryDirectory();
});

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function read(files: Partial<AccessSettings>) {
  return readAccessRules(files, (path) => `config.yaml: ${path.join('.')}`);
}

function problems(files: Partial<AccessSettings>): string[] {
  return read(files).problems.map((problem) => problemText(problem).replaceAll(`${directory}/`, ''));
}

const ROLES = `
roles:
  sensor:
    - { allow: publish, topic: 'sites/\${username}/#' }
    - { deny: receive, topic: sites/+/secret }
    - { allow: subscribe, topic: sites/# }
    - { allow: [send, receive], queue: 'jobs-*' }
users:
  ann: [sensor]
`;

describe('the files of access', () => {
  it('are no rules where none is set', () => {
    expect(read({})).toMatchObject({ rules: undefined, problems: [] });
  });

  it('have their problems told with line, column and what was probably meant', () => {
    const aclFile = write('acl', 'usr ann\n\ntopic raed a\npattern x%u/y\n');
    expect(problems({ aclFile })).toEqual([
      'acl:1:1: expected user, topic or pattern, found "usr" - did you mean "user"?',
      'acl:3:7: expected read, write, readwrite or deny in front of the filter, found "raed" - did you mean "read"?',
      'acl:4:10: %u must be a whole level, such as a/%u/b: within one it means different things to different releases of mosquitto',
    ]);
    const rolesFile = write(
      'roles.yaml',
      `roles:
  sensor:
    - alow: publish
      topic: a
    - allow: pubish
      topic: 'a/\${user}'
users:
  ann: [senser]
`,
    );
    expect(problems({ rolesFile })).toEqual([
      'roles.yaml:3:7: roles.sensor[0].alow: expected one of allow, deny, topic, queue - did you mean "allow"?',
      'roles.yaml:5:14: roles.sensor[1].allow: expected one of publish, subscribe, receive, all, found "pubish" - did you mean "publish"?',
      `roles.yaml:6:14: roles.sensor[1].topic: there is no placeholder \${user} - did you mean "\${username}"?`,
      'roles.yaml:8:9: users.ann[0]: there is no role "senser" - did you mean "sensor"?',
    ]);
  });

  it('are not taken one without the other', () => {
    const aclFile = write('acl', 'topic a\n');
    const rolesFile = join(directory, 'none.yaml');
    expect(read({ aclFile, rolesFile }).rules).toBeUndefined();
    expect(problems({ aclFile, rolesFile })).toEqual([
      'config.yaml: access.rolesFile: access.rolesFile: none.yaml: there is no such file',
    ]);
  });

  it('that are of another kind have the first twenty problems told', () => {
    const found = problems({ aclFile: write('acl', 'nonsense\n'.repeat(100)) });
    expect(found).toHaveLength(21);
    expect(found.at(-1)).toBe('acl: 80 problems more');
  });

  it.each(['roles: [', 'roles: {a: 1, a: 2}', '- a', '\0'])('are refused if they are no YAML: %s', (text) => {
    expect(problems({ rolesFile: write('roles.yaml', text) }).length).toBeGreaterThan(0);
  });

  it('are part of the configuration: what is wrong in them is wrong there', () => {
    const aclFile = write('acl', 'topics a\n');
    const file = write('config.yaml', `access:\n  aclFile: ${aclFile}\n`);
    const load = () => loadConfiguration({ file, environment: {}, flags: new Map() });
    expect(load).toThrow(`${aclFile}:1:1: expected user, topic or pattern, found "topics" - did you mean "topic"?`);
    writeFileSync(aclFile, 'topic a\n');
    const { accessRules, settings } = load();
    expect(accessRules.rules).toBeDefined();
    expect(settings.access.subscribeCheck).toBe('strict');
  });
});

describe('rules that are changed', () => {
  const SETTINGS = { rolesFile: undefined, subscribeCheck: 'strict' } as const;

  function world(text: string) {
    const aclFile = write('acl', text);
    const settings = { ...SETTINGS, aclFile };
    const { rules, fingerprint } = read(settings);
    if (rules === undefined) throw new Error('the first rules are bad');
    const control = new AccessControl(rules);
    const logged: { level: number; msg: string; problems?: string[] }[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    let onMaybeChanged = () => {};
    let isClosed = false;
    const watched: string[] = [];
    const reload = new AccessReload(
      settings,
      control,
      fingerprint,
      (files, callback) => {
        watched.push(...files);
        onMaybeChanged = callback;
        return {
          close() {
            isClosed = true;
          },
        };
      },
      logger,
    );
    const mayPublish = (topic: string) =>
      control.accessOf({ username: null, clientId: 'c', roles: [], rules: [] })?.mayPublish({ topic }) ?? true;
    return {
      aclFile,
      control,
      logged,
      watched,
      reload,
      mayPublish,
      change: () => onMaybeChanged(),
      isClosed: () => isClosed,
    };
  }

  it('are put in force, once', () => {
    const { aclFile, control, watched, mayPublish, change, logged } = world('topic a\n');
    expect(watched).toEqual([aclFile]);
    change();
    expect(control.version).toBe(0);
    writeFileSync(aclFile, 'topic b\n');
    change();
    change();
    expect(control.version).toBe(1);
    expect([mayPublish('a'), mayPublish('b')]).toEqual([false, true]);
    expect(logged.map(({ msg }) => msg)).toEqual(['the rules of access have changed']);
  });

  it('stay as they are while the file is bad or gone, which is said once, and again when asked for', () => {
    const { aclFile, control, mayPublish, change, reload, logged } = world('topic a\n');
    writeFileSync(aclFile, 'topic raed b\n');
    change();
    change();
    expect(logged).toHaveLength(1);
    expect(logged[0]?.problems?.[0]).toContain(`${aclFile}:1:7: expected read, write`);
    reload.reload();
    expect(logged).toHaveLength(2);
    rmSync(aclFile);
    change();
    expect(logged[2]?.problems).toEqual([`access.aclFile: access.aclFile: ${aclFile}: there is no such file`]);
    expect([control.version, mayPublish('a')]).toEqual([0, true]);
    writeFileSync(aclFile, 'topic b\n');
    change();
    expect([control.version, mayPublish('a'), mayPublish('b')]).toEqual([1, false, true]);
  });

  it('are not looked for any more after the end', () => {
    const { reload, isClosed } = world('topic a\n');
    reload.close();
    expect(isClosed()).toBe(true);
  });

  it('are found where Kubernetes turns a link to them', async () => {
    for (const version of ['one', 'two']) mkdirSync(join(directory, version));
    write('one/acl', 'topic a\n');
    write('two/acl', 'topic b\n');
    symlinkSync('one', join(directory, '..data'));
    symlinkSync('..data/acl', join(directory, 'acl'));
    const clock = new ManualClock();
    const settings = { ...SETTINGS, aclFile: join(directory, 'acl') };
    const { rules = null, fingerprint } = read(settings);
    const control = new AccessControl(rules);
    const changed = new Promise<void>((resolve) => control.onChanged(resolve));
    const watch = (files: readonly string[], callback: () => void) => new FileWatch(files, clock, callback);
    const reload = new AccessReload(settings, control, fingerprint, watch, pino({ level: 'silent' }));
    symlinkSync('two', join(directory, '..new'));
    renameSync(join(directory, '..new'), join(directory, '..data'));
    const ticking = setInterval(() => clock.advance(1000), 10);
    await changed.finally(() => clearInterval(ticking));
    reload.close();
    expect(control.version).toBe(1);
  });
});

describe('millrace acl test', () => {
  /** The answer, in one line, and what JSON says of the rule. */
  function ask(line: string, files: Partial<AccessSettings>) {
    const request = parseCommandLine(['acl', 'test', ...line.split(' ')]);
    if (request.kind !== 'run') throw new Error(JSON.stringify(request));
    const settings = { subscribeCheck: 'strict', ...files } as AccessSettings;
    const answer = testAccess(request, settings, read(files));
    if (answer instanceof AccessMisuse) return answer.reason;
    return accessAnswerText(answer).replaceAll(`${directory}/`, '');
  }

  it.each([
    [
      '--publish sites/ann/t --user ann',
      'allow: publish to sites/ann/t: role sensor, rule 1 (roles.yaml:4:7) allows sites/ann/#',
    ],
    ['--publish sites/bob/t --user ann', 'deny: publish to sites/bob/t: no rule is about it'],
    ['--publish sites/bob/t --user bob', 'deny: publish to sites/bob/t: no rule is about it'],
    [
      '--publish sites/bob/t --user bob --roles x,sensor',
      'allow: publish to sites/bob/t: role sensor, rule 1 (roles.yaml:4:7) allows sites/bob/#',
    ],
    [
      '--receive sites/x/secret --user ann',
      'deny: receive sites/x/secret: role sensor, rule 2 (roles.yaml:5:7) denies sites/+/secret',
    ],
    [
      '--subscribe sites/x/secret --user ann',
      'deny: subscribe to sites/x/secret: role sensor, rule 2 (roles.yaml:5:7) denies sites/+/secret',
    ],
    [
      '--subscribe sites/# --user ann',
      'allow: subscribe to sites/#: some of its topics may be received; the others are left out',
    ],
    ['--subscribe sites/+/x --user ann', 'allow: subscribe to sites/+/x: all of its topics may be received'],
    [
      '--subscribe $share/g/other/# --user ann',
      'deny: subscribe to $share/g/other/#: none of its topics may be received',
    ],
    [
      '--queue jobs-1 --action send --user ann',
      'allow: send on queue jobs-1: role sensor, rule 4 (roles.yaml:7:7) allows queue jobs-*',
    ],
    [
      '--subscribe $queue/jobs-1/# --user ann',
      'allow: receive on queue jobs-1: role sensor, rule 4 (roles.yaml:7:7) allows queue jobs-*',
    ],
    ['--queue jobs-1 --action manage --user ann', 'deny: manage on queue jobs-1: no rule is about it'],
    ['--publish $SYS/x --user ann', 'deny: publish to $SYS/x: the broker alone publishes below $SYS'],
  ])('answers %s', (line, expected) => {
    expect(ask(line, { rolesFile: write('roles.yaml', ROLES) })).toBe(`${expected}\n`);
  });

  it('names the line of an acl_file, and says what mosquitto would accept', () => {
    const aclFile = write('acl', 'user ann\ntopic read a\ntopic deny b\n');
    expect(ask('--receive a --user ann', { aclFile })).toBe('allow: receive a: acl:2 allows a\n');
    expect(ask('--publish b --user ann', { aclFile })).toBe('deny: publish to b: acl:3 denies b\n');
    expect(ask('--subscribe b --user ann', { aclFile, subscribeCheck: 'mosquitto' })).toBe(
      'allow: subscribe to b: accepted by access.subscribeCheck, and brings nothing: acl:3 denies b\n',
    );
  });

  it('says so where there are no rules', () => {
    expect(ask('--publish a', {})).toBe('allow: publish to a: no rules are configured, everything is allowed\n');
  });

  it.each([
    ['--user ann', 'acl test needs one of --publish, --subscribe, --receive and --queue'],
    ['--publish a --receive b', 'acl test needs one of --publish, --subscribe, --receive and --queue'],
    ['--publish a --action send', 'flag --action goes with --queue'],
    ['--publish a/+', 'flag --publish: Topic name contains a wildcard [MQTT-4.7.0-1]'],
    [
      '--subscribe a/#/b',
      'flag --subscribe: # is not a level of its own at the end of the topic filter [MQTT-4.7.1-1]',
    ],
    ['--queue q', 'flag --queue needs --action: one of send, receive, manage'],
    [
      '--queue q --action sned',
      'flag --action: expected one of send, receive, manage, found "sned" - did you mean "send"?',
    ],
    ['--queue a/b --action send', 'flag --queue: "a/b" is no name of a queue'],
    ['--publish $queue/q', 'flag --publish: ask with --queue about topics below $queue'],
  ])('refuses %s', (line, expected) => {
    expect(ask(line, {})).toBe(expected);
  });

  it('ends with 0, 1 or 2, and prints JSON if asked to', async () => {
    const aclFile = write('acl', 'user ann\ntopic write a\n');
    const environment = { MILLRACE__ACCESS__ACL_FILE: aclFile };
    const run = (...flags: string[]) =>
      runIn(directory, MAIN, ['acl', 'test', '--user', 'ann', '--client', 'c1', ...flags], environment);
    const [allowed, denied, misused] = [run('--publish', 'a', '--json'), run('--publish', 'b'), run()];
    expect(await allowed.exitCode()).toBe(0);
    expect(JSON.parse(allowed.stdout)).toEqual({
      allowed: true,
      action: 'publish to a',
      username: 'ann',
      clientId: 'c1',
      rule: `${aclFile}:2`,
      why: `${aclFile}:2 allows a`,
    });
    expect(await denied.exitCode()).toBe(1);
    expect(denied.stdout).toBe('deny: publish to b: no rule is about it\n');
    expect(await misused.exitCode()).toBe(2);
  });
});

describe('docs/authorization.md', () => {
  const document = readFileSync(new URL('../../../docs/authorization.md', import.meta.url), 'utf8');
  const blocks = [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, kind, text = '']) => ({ kind, text }));

  it('shows files that can be used, and answers that are given', () => {
    const roles = blocks.find(({ text }) => text.startsWith('# roles.yaml'))?.text ?? '';
    const acl = blocks.find(({ text }) => text.includes('pattern write'))?.text ?? '';
    expect([roles, acl]).not.toContain('');
    expect(problems({ rolesFile: write('roles.yaml', roles), aclFile: write('acl', acl) })).toEqual([]);
    const shown =
      blocks
        .find(({ text }) => text.startsWith('$ millrace acl test'))
        ?.text.trimEnd()
        .split('\n') ?? [];
    expect(shown).toHaveLength(4);
    for (let at = 0; at < shown.length; at += 2) {
      const request = parseCommandLine(shown[at]?.split(' ').slice(2) ?? []);
      if (request.kind !== 'run') throw new Error(JSON.stringify(request));
      const files = { rolesFile: join(directory, 'roles.yaml'), subscribeCheck: 'strict' } as const;
      const answer = testAccess(request, { ...files, aclFile: undefined }, read(files));
      if (answer instanceof AccessMisuse) throw new Error(answer.reason);
      expect(accessAnswerText(answer).replaceAll(`${directory}/`, '')).toBe(`${shown[at + 1]}\n`);
    }
  });
});

describe('a running broker', () => {
  it('takes rules into use on SIGHUP, and goes on', async () => {
    const aclFile = write('acl', 'topic a\n');
    const config = write('config.yaml', `access: { aclFile: ${aclFile} }\nstorage: { durability: memory }\n`);
    const flags = ['--config', config, '--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0'];
    const broker = runIn(directory, MAIN, ['start', ...flags, '--log-format', 'json']);
    await broker.seen('millrace started');
    writeFileSync(aclFile, 'topic raed a\n');
    broker.child.kill('SIGHUP');
    await broker.seen('cannot be used; those before stay in force');
    writeFileSync(aclFile, 'topic b\n');
    broker.child.kill('SIGHUP');
    await broker.seen('the rules of access have changed');
    broker.child.kill('SIGTERM');
    expect(await broker.exitCode()).toBe(0);
  });
});
