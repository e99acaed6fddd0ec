import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AuditLog, type AuditMode } from '../../../src/core/audit-log.js';
import { ManualClock } from '../../support/manual-clock.js';

function world(mode: AuditMode, level = 'error') {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { level, base: null, timestamp: false },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const clock = new ManualClock();
  return { lines, clock, audit: new AuditLog(logger, clock, mode) };
}

describe('the audit log', () => {
  it.each([
    ['off', []],
    ['failures', ['refused', 'banned']],
    ['all', ['connected', 'refused', 'banned']],
  ] as const)('tells what it is to tell: %s', (mode, expected) => {
    const { audit, lines } = world(mode);
    audit.success('connected', {});
    audit.failure('refused', {});
    audit.change('banned', {});
    expect(lines.map(({ event }) => event)).toEqual(expected);
    expect(lines.every((line) => line['audit'] === true)).toBe(true);
  });

  it('is silent with the log', () => {
    const { audit, lines } = world('all', 'silent');
    audit.change('banned', {});
    expect(lines).toEqual([]);
  });

  it('keeps failures back that come too fast, and says how many', () => {
    const { audit, lines, clock } = world('failures');
    for (let i = 0; i < 1000; i++) audit.failure('refused', { number: i });
    expect(lines).toHaveLength(100);
    clock.advance(1000);
    audit.failure('refused', { number: 1000 });
    audit.failure('refused', { number: 1001 });
    expect(lines.slice(100)).toEqual([
      expect.objectContaining({ number: 1000, keptBack: 900 }),
      expect.not.objectContaining({ keptBack: expect.anything() }),
    ]);
  });

  it('bounds text of others, and shows what would mislead', () => {
    const { audit, lines } = world('failures');
    audit.failure('refused', {
      clientId: 'x'.repeat(70_000),
      username: 'a\n{"level":30}\u202e\u001b[2J',
      none: undefined,
    });
    const { clientId, username } = lines[0] as { clientId: string; username: string };
    expect(clientId).toBe(`${'x'.repeat(200)}… (70000 characters)`);
    expect(username).toBe('a\\u000a{"level":30}\\u202e\\u001b[2J');
    expect(lines[0]).not.toHaveProperty('none');
  });
});
