import { describe, expect, it } from 'vitest';
import { AccessAction } from '../../../../src/auth/access/access-action.js';
import { AclFile } from '../../../../src/auth/access/acl-file.js';
import { ClientRights } from '../../../../src/auth/access/client-rights.js';

const { Publish, Receive, Subscribe, Send, Take } = AccessAction;

function rights(text: string, username: string | null, clientId = 'c1'): ClientRights {
  const { file, problems } = AclFile.parse('acl', text);
  expect(problems).toEqual([]);
  return new ClientRights([file.rulesFor({ username, clientId })]);
}

/** The problem of a file with one wrong line. */
function problemOf(text: string) {
  const { problems } = AclFile.parse('acl', text);
  expect(problems).toHaveLength(1);
  return problems[0];
}

describe('an acl_file', () => {
  it('gives what stands before any user to clients without a user name, and to nobody else', () => {
    const text = 'topic read news/#\nuser ann\ntopic write a\n';
    expect(rights(text, null).allows('news/x', Receive)).toBe(true);
    expect(rights(text, 'ann').allows('news/x', Receive)).toBe(false);
    expect(rights(text, 'bob').allows('news/x', Receive)).toBe(false);
    expect(rights(text, 'ann').allows('a', Publish)).toBe(true);
    expect(rights(text, null).allows('a', Publish)).toBe(false);
  });

  it('takes read for subscribing and receiving, write for publishing, and nothing for both', () => {
    const text = 'topic read r\ntopic write w\ntopic readwrite rw\ntopic plain\n';
    const may = rights(text, null);
    expect(['r', 'w', 'rw', 'plain'].map((topic) => may.allows(topic, Receive))).toEqual([true, false, true, true]);
    expect(['r', 'w', 'rw', 'plain'].map((topic) => may.allows(topic, Subscribe))).toEqual([true, false, true, true]);
    expect(['r', 'w', 'rw', 'plain'].map((topic) => may.allows(topic, Publish))).toEqual([false, true, true, true]);
  });

  it('adds what a user has when it comes again', () => {
    const text = 'user ann\ntopic a\nuser bob\ntopic b\nuser ann\ntopic c\n';
    expect(['a', 'b', 'c'].map((topic) => rights(text, 'ann').allows(topic, Publish))).toEqual([true, false, true]);
  });

  it('looks at denials first, whatever their place in the list', () => {
    const may = rights('user ann\ntopic a/#\ntopic deny a/secret\n', 'ann');
    expect(may.allows('a/secret', Receive)).toBe(false);
    expect(may.allows('a/secret', Publish)).toBe(false);
    expect(may.allows('a/open', Publish)).toBe(true);
  });

  it('asks the patterns after the user: its permission beats a denial there, and its denial a permission', () => {
    const text = 'pattern deny a/#\npattern b/%u/#\nuser ann\ntopic a/x\ntopic deny b/ann/secret\n';
    const may = rights(text, 'ann');
    expect(may.allows('a/x', Publish)).toBe(true);
    expect(may.allows('a/y', Publish)).toBe(false);
    expect(may.allows('b/ann/x', Publish)).toBe(true);
    expect(may.allows('b/ann/secret', Publish)).toBe(false);
  });

  it('fills patterns with the user name and the client id, and leaves those out that have none to fill in', () => {
    const text = 'pattern x/%u/%c\npattern y/%c\n';
    expect(rights(text, 'ann', 'c9').allows('x/ann/c9', Publish)).toBe(true);
    expect(rights(text, 'ann', 'c9').allows('x/bob/c9', Publish)).toBe(false);
    expect(rights(text, null, 'c9').allows('x//c9', Publish)).toBe(false);
    expect(rights(text, null, 'c9').allows('y/c9', Publish)).toBe(true);
  });

  it('takes %u of a topic line as it stands', () => {
    expect(rights('topic a/%u\n', null).allows('a/%u', Publish)).toBe(true);
  });

  it.each([
    ['a+b', 'c1'],
    ['#', 'c1'],
    ['ann', '+'],
    ['ann', 'x#'],
  ])('denies a name with a wildcard (%s, %s) everything that the user has not got by itself', (username, clientId) => {
    const text = `pattern read p/#\nuser ${username}\ntopic own/#\n`;
    expect(rights(text, username, clientId).allows('p/x', Receive)).toBe(false);
    expect(rights(text, username, clientId).allows('own/x', Receive)).toBe(true);
  });

  it('cares for no wildcard in names while it has no patterns', () => {
    expect(rights('user a+\ntopic x\n', 'a+').allows('x', Publish)).toBe(true);
  });

  it.each(['__proto__', 'constructor', 'toString', '%u', 'with blanks in it'])('knows the user %s', (name) => {
    const text = `user ${name}\ntopic mine\n`;
    expect(rights(text, name).allows('mine', Publish)).toBe(true);
    expect(rights('user ann\ntopic mine\n', name).allows('mine', Publish)).toBe(false);
  });

  it('matches topics that begin with $ by filters that do, and no others', () => {
    const may = rights('topic #\ntopic read $SYS/broker/#\n', null);
    expect(may.allows('$SYS/broker/uptime', Receive)).toBe(true);
    expect(may.allows('$other/x', Receive)).toBe(false);
    expect(rights('topic $SYS/#\n', null).allows('SYS/x', Receive)).toBe(false);
  });

  it('has a/# match a', () => {
    expect(rights('topic a/#\n', null).allows('a', Publish)).toBe(true);
  });

  it('denies what no line is about, and everything where there is none', () => {
    expect(rights('topic a\n', null).allows('b', Publish)).toBe(false);
    expect(rights('', 'ann').allows('b', Publish)).toBe(false);
  });

  it('takes filters below $queue for work queues', () => {
    const may = rights('topic write $queue/jobs\ntopic read $queue/done\n', null);
    expect(may.allows('$queue/jobs', Send)).toBe(true);
    expect(may.allows('$queue/jobs', Take)).toBe(false);
    expect(may.allows('$queue/done', Take)).toBe(true);
    expect(may.allowsPublish('$queue/jobs')).toBe(true);
    expect(may.allowsPublish('$queue/done')).toBe(false);
    expect(may.allowsPublish('$queue/done/$ctl')).toBe(true);
    expect(may.allowsPublish('$queue/jobs/$ctl')).toBe(false);
  });

  it('gives nobody queues for calling himself $queue', () => {
    expect(rights('pattern %u/#\n', '$queue').allows('$queue/jobs', Take)).toBe(false);
    expect(rights('pattern %u/#\n', '$mine').allows('$mine/x', Publish)).toBe(true);
  });

  it('reads comments, blank lines, blanks at the end, a byte order mark and lines that end with CR', () => {
    const text = '\ufeff# comment\r\n\r\n   \nuser  ann \t\r\ntopic   read   a b  \r\n';
    expect(rights(text, 'ann').allows('a b', Receive)).toBe(true);
    expect(rights(text, 'ann').allows('a b', Publish)).toBe(false);
  });

  it('accepts what mosquitto accepts without any use: a shared filter', () => {
    expect(rights('topic read $share/g/a\n', null).allows('a', Receive)).toBe(false);
  });

  it.each([
    ['topics a', 1, 'expected user, topic or pattern, found "topics"'],
    ['topic raed a', 7, 'expected read, write, readwrite or deny in front of the filter, found "raed"'],
    ['topic with blank', 7, 'expected read, write, readwrite or deny in front of the filter, found "with"'],
    ['topic', 6, 'topic needs a topic filter'],
    ['user', 1, 'user needs a name'],
    ['topic read a/#/b', 12, '# is not a level of its own at the end of the topic filter [MQTT-4.7.1-1]'],
    ['topic a+', 7, '+ does not fill a whole level of the topic filter [MQTT-4.7.1-2]'],
    ['  # comment', 3, 'a comment has its # in the first column'],
    ['topic\ta', 1, 'expected user, topic or pattern, found "topic\ta"'],
  ])('tells what is wrong with "%s"', (line, column, message) => {
    expect(problemOf(`# first\n${line}\n`)).toMatchObject({ line: 2, column, message });
  });

  it('names words that could have been meant', () => {
    expect(problemOf('topics a')).toMatchObject({ word: 'topics', candidates: ['user', 'topic', 'pattern'] });
    expect(problemOf('topic raed a').candidates).toContain('read');
  });

  it.each([
    ['pattern read x%u/y', 15],
    ['pattern x/%cy', 11],
    ['pattern %u%c', 9],
  ])('refuses a placeholder within a level: %s', (line, column) => {
    const problem = problemOf(line);
    expect(problem.column).toBe(column);
    expect(problem.message).toContain('must be a whole level');
  });
});
