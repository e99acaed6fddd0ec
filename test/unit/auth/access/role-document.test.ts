/** The text of a file of roles, before and after a change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RoleDocument, UnchangeableText } from '../../../../src/auth/access/role-document.js';

function changed(text: string, change: (document: RoleDocument) => unknown): string {
  const document = RoleDocument.parse(text);
  if (document instanceof UnchangeableText) return expect.fail(document.reason);
  change(document);
  const edited = document.toText();
  return edited instanceof UnchangeableText ? expect.fail(edited.reason) : edited;
}

const TEXT = `# Who may do what. Reviewed in spring.

roles:
  # Of the field.
  sensor:
    - { allow: publish, topic: 'sites/\${username}/#' } # their own
    - allow: subscribe
      topic: [a/#, "b/+"]

  # Of the office, with a line that is longer than eighty characters and must not be broken in two.
  dashboard: [{ deny: receive, topic: a/secret }, { allow: subscribe, topic: 'a/very/long/filter/that/goes/on/#' }]
users:
  station-7: sensor # by the gate
  ops: [dashboard] # on call
  7: dashboard
everybody: []
`;

const RULES = [
  { allow: 'publish', topic: ['x/#'] },
  { deny: ['send', 'receive'], queue: 'jobs-*' },
];

describe('a file of roles', () => {
  it('stays as it is if nothing is changed', () => {
    expect(changed(TEXT, () => {})).toBe(TEXT);
  });

  it('gets a role more at the end of those that there are', () => {
    const added = '  new:\n    - { allow: publish, topic: x/# }\n    - { deny: [send, receive], queue: jobs-* }\n';
    expect(changed(TEXT, (document) => document.putRole('new', RULES))).toBe(
      TEXT.replace('users:\n', `${added}users:\n`),
    );
  });

  it('gets other rules for a role, and keeps the comments of the others', () => {
    const text = changed(TEXT, (document) => document.putRole('dashboard', [{ allow: 'all', topic: '#' }]));
    expect(text).toContain(TEXT.slice(TEXT.indexOf('  # Of the field'), TEXT.indexOf('  # Of the office')));
    expect(text).toMatch(/must not be broken in two\.\n {2}dashboard:\n {4}- \{ allow: all, topic: "#" \}\nusers:\n/);
  });

  it('loses a role', () => {
    const text = changed(TEXT, (document) => expect(document.removeRole('sensor')).toBe(true));
    expect(Object.keys(parse(text).roles)).toEqual(['dashboard']);
    changed(TEXT, (document) => expect(document.removeRole('none')).toBe(false));
  });

  it('gives roles and takes them, in every form in which they may be written', () => {
    const user = (username: string) => ({ kind: 'user', username }) as const;
    const text = changed(TEXT, (document) => {
      expect(document.grant('dashboard', user('station-7'))).toBe(true);
      expect(document.grant('dashboard', user('station-7'))).toBe(false);
      expect(document.grant('sensor', user('7'))).toBe(true);
      expect(document.grant('sensor', user('__proto__'))).toBe(true);
      expect(document.grant('sensor', { kind: 'everybody' })).toBe(true);
      expect(document.grant('sensor', { kind: 'anonymous' })).toBe(true);
      expect(document.revoke('dashboard', user('ops'))).toBe(true);
      expect(document.revoke('dashboard', user('nobody'))).toBe(false);
    });
    expect(text.slice(text.indexOf('users:'))).toBe(`users:
  station-7: [sensor, dashboard] # by the gate
  7: [dashboard, sensor]
  __proto__: [sensor]
everybody: [sensor]
anonymous: [sensor]
`);
    const back = changed(text, (document) => {
      document.revoke('sensor', { kind: 'everybody' });
      expect(document.holdersOf('sensor')).toEqual({
        users: ['station-7', '7', '__proto__'],
        sections: ['anonymous'],
      });
    });
    expect(back).not.toContain('everybody');
  });

  it.each(['', '# only a comment\n', 'roles:\n', 'roles: {}\n', '---\n'])('that is %j gets its first role', (text) => {
    const edited = changed(text, (document) => document.putRole('r', RULES));
    expect(parse(edited).roles.r).toHaveLength(2);
    expect(edited).toContain('\n  r:\n    - ');
    if (text.startsWith('#')) expect(edited).toMatch(/^# only a comment\n/);
  });

  it('keeps how lists are indented, and how lines end', () => {
    const text = 'roles:\n  a:\n  - { allow: publish, topic: a }\n';
    expect(changed(text, (document) => document.putRole('b', RULES))).toContain('\n  b:\n  - { allow');
    const crlf = changed(text.replaceAll('\n', '\r\n'), (document) => document.putRole('b', RULES));
    expect(crlf.replaceAll('\r\n', '')).not.toContain('\n');
  });

  it('that has a role twice loses both', () => {
    const text = 'roles:\n  a: []\n  b: []\n  a: []\n';
    expect(changed(text, (document) => document.removeRole('a'))).toBe('roles:\n  b: []\n');
  });

  it('follows aliases, and does not take away what one of them refers to', () => {
    const text = 'roles:\n  a: &a [{ allow: publish, topic: a }]\n  b: *a\nusers: { u: &l [a, b], v: *l }\n';
    const granted = changed(text, (document) => document.revoke('a', { kind: 'user', username: 'v' }));
    expect(parse(granted).users).toEqual({ u: ['a', 'b'], v: ['b'] });
    const document = RoleDocument.parse(text) as RoleDocument;
    document.removeRole('a');
    expect(document.toText()).toBeInstanceOf(UnchangeableText);
  });

  it.each(['- a\n', 'text', 'a: [', '['.repeat(20_000)])('is not changed if it is none: %.20j', (text) => {
    expect(RoleDocument.parse(text)).toBeInstanceOf(UnchangeableText);
  });

  it('says what was written, whatever the names are', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.constantFrom(
        '__proto__',
        '<<',
        'null',
        'true',
        '~',
        '0x1',
        '1e3',
        '- a',
        '# a',
        'a: b',
        '*a',
        '&a',
        '!!str',
        '%',
        '\n',
        ' ',
      ),
    );
    fc.assert(
      fc.property(name, name, fc.array(name, { minLength: 1, maxLength: 3 }), (role, username, filters) => {
        const text = changed(TEXT, (document) => {
          document.putRole(role, [{ allow: 'publish', topic: filters }]);
          document.grant(role, { kind: 'user', username });
        });
        const after = parse(text);
        const rules = Object.entries(after.roles).find(([key]) => key === role)?.[1];
        expect(rules).toEqual([{ allow: 'publish', topic: filters.length === 1 ? filters[0] : filters }]);
        const given = Object.entries(after.users).find(([key]) => key === username)?.[1];
        expect([given].flat()).toContain(role);
        expect(Object.keys(after.roles).length).toBe(['sensor', 'dashboard'].includes(role) ? 2 : 3);
      }),
      { numRuns: 500 },
    );
  });
});
