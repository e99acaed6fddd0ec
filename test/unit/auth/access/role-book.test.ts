import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AccessAction } from '../../../../src/auth/access/access-action.js';
import { ClientRights } from '../../../../src/auth/access/client-rights.js';
import type { Principal } from '../../../../src/auth/access/principal.js';
import { RoleBook } from '../../../../src/auth/access/role-book.js';

const { Publish, Receive, Subscribe, Send, Take, Manage } = AccessAction;

function read(yaml: string) {
  return RoleBook.read(parse(yaml), (path) => path.join('.'));
}

function rights(yaml: string, principal: Partial<Principal> = {}): ClientRights {
  const { book, problems } = read(yaml);
  expect(problems).toEqual([]);
  const whole = { username: null, clientId: 'c1', roles: [], rules: [], ...principal };
  return new ClientRights(book.listsFor(whole));
}

/** Rules of one role that everybody has. */
function ruled(rules: string, principal: Partial<Principal> = {}): ClientRights {
  return rights(`roles: { r: ${rules} }\neverybody: [r]`, principal);
}

describe('roles', () => {
  it('are those of the user, of clients without a name, and of everybody', () => {
    const yaml = `
roles:
  a: [{ allow: publish, topic: a }]
  b: [{ allow: publish, topic: b }]
  c: [{ allow: publish, topic: c }]
  d: [{ allow: publish, topic: d }]
users: { ann: a }
anonymous: b
everybody: [c]`;
    const may = (principal: Partial<Principal>) =>
      ['a', 'b', 'c', 'd'].filter((topic) => rights(yaml, principal).allows(topic, Publish)).join('');
    expect(may({ username: 'ann' })).toBe('ac');
    expect(may({ username: 'bob' })).toBe('c');
    expect(may({ username: null })).toBe('bc');
    expect(may({ username: 'bob', roles: ['d', 'unknown'] })).toBe('cd');
    expect(may({ username: '__proto__' })).toBe('c');
  });

  it.each(['__proto__', 'constructor', '', '7'])('can have the name "%s", and so can users', (name) => {
    const yaml = `roles: { ${JSON.stringify(name)}: [{ allow: publish, topic: a }] }\nusers: { ${JSON.stringify(name)}: [${JSON.stringify(name)}] }`;
    expect(rights(yaml, { username: name }).allows('a', Publish)).toBe(true);
    expect(rights(yaml, { username: 'x' }).allows('a', Publish)).toBe(false);
  });

  it('decide by their first rule that is about it', () => {
    const rules = '[{ allow: all, topic: a/b }, { deny: publish, topic: a/# }, { allow: all, topic: "#" }]';
    const may = ruled(rules);
    expect(may.allows('a/b', Publish)).toBe(true);
    expect(may.allows('a/c', Publish)).toBe(false);
    expect(may.allows('a/c', Receive)).toBe(true);
    expect(may.findDeciding('a/c', Publish)?.origin).toBe('role r, rule 2 (roles.r.1)');
  });

  it('of one client: a denial of one beats a permission of another', () => {
    const yaml = `
roles:
  open: [{ allow: all, topic: '#' }]
  shut: [{ deny: all, topic: secret/# }]
everybody: [open, shut]`;
    expect(rights(yaml).allows('secret/x', Receive)).toBe(false);
    expect(rights(yaml).allows('x', Receive)).toBe(true);
  });

  it('know subscribe, which includes receiving, and receive alone', () => {
    const may = ruled(
      '[{ deny: receive, topic: a/secret }, { allow: subscribe, topic: a/# }, { allow: receive, topic: b }]',
    );
    expect(may.allows('a/secret', Subscribe)).toBe(true);
    expect(may.allows('a/secret', Receive)).toBe(false);
    expect(may.allows('a/x', Receive)).toBe(true);
    expect(may.allows('b', Subscribe)).toBe(false);
    expect(may.allows('b', Receive)).toBe(true);
  });

  it('fill in user name and client id as whole levels', () => {
    const rules = `[{ allow: publish, topic: "s/\${username}/\${clientId}/#" }]`;
    expect(ruled(rules, { username: 'ann', clientId: 'c9' }).allows('s/ann/c9/x', Publish)).toBe(true);
    expect(ruled(rules, { username: 'ann', clientId: 'c9' }).allows('s/bob/c9/x', Publish)).toBe(false);
    expect(ruled(rules, { username: '%u', clientId: 'c9' }).allows('s/%u/c9', Publish)).toBe(true);
  });

  it.each([null, '', '+', '#', 'a/b', 'a+', '*'])(
    'permit nothing by a name that is no level (%s), and deny all it could mean',
    (username) => {
      const allow = ruled(`[{ allow: publish, topic: "s/\${username}/#" }]`, { username });
      for (const topic of ['s/x/y', 's//y', 's/a/b', 's/+', `s/${username}/y`]) {
        expect(allow.allows(topic, Publish)).toBe(false);
      }
      const deny = ruled(`[{ deny: publish, topic: "s/\${username}/#" }, { allow: publish, topic: "#" }]`, {
        username,
      });
      expect(deny.allows('s/x/y', Publish)).toBe(false);
      expect(deny.allows('t', Publish)).toBe(true);
    },
  );

  it.each(['$SYS', '$queue'])('give nothing below %s to who calls himself that', (username) => {
    const may = ruled(`[{ allow: all, topic: "\${username}/#" }]`, { username });
    expect(may.allows(`${username}/x`, Receive)).toBe(false);
    expect(may.allows(`${username}/x`, Take)).toBe(false);
  });

  it('speak of work queues by name, by pattern and by who the client is', () => {
    const may = ruled(
      `[{ allow: [send, receive], queue: "jobs-*" }, { allow: manage, queue: [a, b] }, { allow: receive, queue: "\${clientId}" }]`,
    );
    expect(may.allows('$queue/jobs-1', Send)).toBe(true);
    expect(may.allows('$queue/jobs-1', Take)).toBe(true);
    expect(may.allows('$queue/jobs-1', Manage)).toBe(false);
    expect(may.allows('$queue/b', Manage)).toBe(true);
    expect(may.allows('$queue/c1', Take)).toBe(true);
    expect(may.allows('$queue/c2', Take)).toBe(false);
    expect(may.allowsPublish('$queue/jobs-1')).toBe(true);
    expect(may.allowsPublish('$queue/other')).toBe(false);
  });

  it('permit no queue by what they say of topics', () => {
    expect(ruled('[{ allow: all, topic: "#" }]').allows('$queue/jobs', Take)).toBe(false);
  });
});

describe('a file of roles with something wrong in it', () => {
  it.each([
    ['rolse: {}', 'rolse', 'expected one of roles, users, anonymous, everybody'],
    ['roles: { r: [{ alow: all, topic: a }] }', 'roles.r.0.alow', 'expected one of allow, deny, topic, queue'],
    ['roles: { r: [{ topic: a }] }', 'roles.r.0', 'a rule has either allow or deny'],
    ['roles: { r: [{ allow: all, deny: all, topic: a }] }', 'roles.r.0', 'a rule has either allow or deny, not both'],
    ['roles: { r: [{ allow: all }] }', 'roles.r.0', 'a rule has either topic or queue'],
    [
      'roles: { r: [{ allow: pubish, topic: a }] }',
      'roles.r.0.allow',
      'expected one of publish, subscribe, receive, all, found "pubish"',
    ],
    [
      'roles: { r: [{ allow: publish, queue: a }] }',
      'roles.r.0.allow',
      'expected one of send, receive, manage, all, found "publish"',
    ],
    [
      'roles: { r: [{ allow: [], topic: a }] }',
      'roles.r.0.allow',
      'expected one of publish, subscribe, receive, all, found nothing',
    ],
    ['roles: { r: [{ allow: all, topic: }] }', 'roles.r.0.topic', 'topic names nothing'],
    [
      'roles: { r: [{ allow: all, topic: a/#/b }] }',
      'roles.r.0.topic',
      '# is not a level of its own at the end of the topic filter [MQTT-4.7.1-1]',
    ],
    [
      `roles: { r: [{ allow: all, topic: "x\${username}" }] }`,
      'roles.r.0.topic',
      `\${username} must be a whole level of the filter`,
    ],
    [`roles: { r: [{ allow: all, topic: "a/\${user}" }] }`, 'roles.r.0.topic', `there is no placeholder \${user}`],
    [
      'roles: { r: [{ allow: all, topic: $queue/jobs }] }',
      'roles.r.0.topic',
      'topics below $queue are work queues: say queue: NAME',
    ],
    [
      'roles: { r: [{ allow: all, topic: $share/g/a }] }',
      'roles.r.0.topic',
      'a rule names the filter without $share/NAME/',
    ],
    [
      'roles: { r: [{ allow: all, queue: a/b }] }',
      'roles.r.0.queue',
      '"a/b" is no name of a queue, nor a pattern of them',
    ],
    ['roles: { r: 7 }', 'roles.r', 'expected a list of rules, found 7'],
    ['users: { ann: [r] }', 'users.ann.0', 'there is no role "r"'],
    ['users: [ann]', 'users', 'expected a map, found a list'],
    ['everybody: { a: b }', 'everybody', 'expected a list of names of roles, found a map'],
    ['7', '', 'expected a map, found 7'],
  ])('%s', (yaml, path, message) => {
    const { problems } = read(yaml);
    expect(problems.map((problem) => ({ path: problem.path.join('.'), message: problem.message }))).toEqual([
      { path, message },
    ]);
  });
});
