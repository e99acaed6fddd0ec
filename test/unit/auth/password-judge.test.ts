import { describe, expect, it } from 'vitest';
import type { ConnectRequest } from '../../../src/auth/authenticator.js';
import { CheckLane } from '../../../src/auth/check-lane.js';
import type { PasswordHash } from '../../../src/auth/password-hash.js';
import { PasswordJudge } from '../../../src/auth/password-judge.js';
import { connectRequest } from '../../support/connect-request.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A hash whose checks end when the test says so. */
class SteppedHash implements PasswordHash {
  readonly name = 'sha512-pbkdf2';
  readonly text: string;
  readonly cost = 'some';
  readonly #password: string;
  readonly #begun: (() => void)[];

  constructor(password: string, begun: (() => void)[], text = `hash of ${password}`) {
    this.text = text;
    this.#password = password;
    this.#begun = begun;
  }

  verify(password: Buffer): Promise<boolean> {
    return new Promise((resolve) => this.#begun.push(() => resolve(password.toString() === this.#password)));
  }

  standIn(): PasswordHash {
    return new SteppedHash('', this.#begun, '');
  }
}

function world(
  options: { readonly isLast?: boolean; readonly maximumWaiting?: number; readonly concurrency?: number } = {},
) {
  const { isLast = true, maximumWaiting = 100, concurrency = 1 } = options;
  const clock = new ManualClock();
  const begun: (() => void)[] = [];
  const lane = new CheckLane({ concurrency, maximumWaiting, maximumWaitMs: 5000 }, clock);
  const users = (passwords: Record<string, string>) =>
    new Map(Object.entries(passwords).map(([user, password]) => [user, new SteppedHash(password, begun)]));
  const judge = new PasswordJudge(users({ alice: 'a', bob: 'b' }), lane, clock, {
    rememberMs: 60_000,
    maximumRemembered: 3,
    isLast,
  });
  /** Ends the checks that are running, and those that begin by that. */
  const settle = async () => {
    for (let next = begun.shift(); next !== undefined; next = begun.shift()) {
      next();
      await turn();
    }
  };
  return { clock, begun, lane, users, judge, settle };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

const said = (username: string, passwordText: string, fields: Partial<ConnectRequest> = {}) =>
  connectRequest({ username, passwordText, ...fields });

describe('PasswordJudge', () => {
  it('allows who has the password, and refuses who has another', async () => {
    const { judge, settle } = world();
    const [right, wrong] = [judge.judge(said('alice', 'a')), judge.judge(said('alice', 'b'))];
    await settle();
    expect(await right).toMatchObject({ allowed: true, identity: { username: 'alice' } });
    expect(await wrong).toMatchObject({ allowed: false, why: 'unidentified', message: 'bad user name or password' });
  });

  it('leaves clients without user name or password to the next', () => {
    const { judge } = world();
    expect(judge.judge(connectRequest())).toBe('next');
    expect(judge.judge(connectRequest({ username: 'alice' }))).toBe('next');
    expect(judge.judge(connectRequest({ passwordText: 'a' }))).toBe('next');
  });

  it.each(['nobody', '__proto__', 'constructor', '', 'x'.repeat(65_535)])(
    'does for unknown user %.20s what it does for one it knows',
    async (name) => {
      const { judge, begun, settle } = world();
      const verdict = judge.judge(said(name, 'a'));
      expect(begun).toHaveLength(1);
      await settle();
      expect(await verdict).toBe('next');
    },
  );

  it('does not take that time where another source is asked behind it', () => {
    expect(world({ isLast: false }).judge.judge(said('nobody', 'a'))).toBe('next');
  });

  it('remembers what was right, for a while and no longer', async () => {
    const { judge, clock, begun, settle } = world();
    void judge.judge(said('alice', 'a'));
    await settle();
    expect(judge.judge(said('alice', 'a'))).toMatchObject({ allowed: true, identity: { username: 'alice' } });
    expect([...judge.figures()]).toEqual([['authentication/password/remembered', 1]]);
    void judge.judge(said('alice', 'wrong'));
    expect(begun).toHaveLength(1);
    await settle();
    clock.advance(60_000);
    expect(judge.judge(said('alice', 'a'))).toBeInstanceOf(Promise);
  });

  it('remembers so many and not more', async () => {
    const { judge, settle, users } = world();
    const names = ['u1', 'u2', 'u3', 'u4'];
    judge.replaceUsers(users(Object.fromEntries(names.map((name) => [name, 'p']))));
    for (const name of names) {
      void judge.judge(said(name, 'p'));
      await settle();
    }
    expect(judge.judge(said('u4', 'p'))).not.toBeInstanceOf(Promise);
    expect(judge.judge(said('u1', 'p'))).toBeInstanceOf(Promise);
  });

  it('makes the same check once, for all who wait for it', async () => {
    const { judge, begun, settle } = world();
    const verdicts = Array.from({ length: 50 }, () => judge.judge(said('alice', 'a')));
    expect(begun).toHaveLength(1);
    await settle();
    for (const verdict of verdicts) expect(await verdict).toMatchObject({ allowed: true });
  });

  it('refuses as busy what the line has no room for, and what has waited for too long', async () => {
    const { judge, clock, lane, settle } = world({ maximumWaiting: 1 });
    const running = judge.judge(said('alice', 'a'));
    const waiting = judge.judge(said('bob', 'b'));
    expect(await judge.judge(said('bob', 'c'))).toMatchObject({ allowed: false, why: 'busy' });
    clock.advance(5001);
    await settle();
    expect(await running).toMatchObject({ allowed: true });
    expect(await waiting).toMatchObject({ allowed: false, why: 'busy' });
    expect(lane.refused).toBe(2);
    expect(lane.waiting).toBe(0);
  });

  it('does not begin a check for a client that has gone', async () => {
    const { judge, begun, settle } = world();
    void judge.judge(said('alice', 'a'));
    const gone = judge.judge(said('bob', 'b', { isGone: () => true }));
    const both = judge.judge(said('bob', 'x', { isGone: () => true }));
    const joined = judge.judge(said('bob', 'x'));
    let checks = 0;
    while (begun.length > 0) {
      checks++;
      begun.shift()?.();
      await turn();
    }
    expect(checks).toBe(2);
    expect(await gone).toMatchObject({ allowed: false });
    expect(await both).toMatchObject({ why: 'unidentified' });
    expect(await joined).toMatchObject({ why: 'unidentified' });
    await settle();
  });

  it('judges by the new file what was being checked when it came', async () => {
    const { judge, users, settle } = world({ concurrency: 4 });
    const asBefore = judge.judge(said('alice', 'a'));
    const changed = judge.judge(said('bob', 'b'));
    expect(judge.replaceUsers(users({ alice: 'a', bob: 'new' }))).toBe(1);
    await settle();
    expect(await asBefore).toMatchObject({ allowed: true });
    expect(await changed).toMatchObject({ allowed: false, why: 'unidentified' });
    const removed = judge.judge(said('bob', 'new'));
    judge.replaceUsers(users({ alice: 'a' }));
    await settle();
    expect(await removed).toBe('next');
  });

  it('withdraws what users were let in by who are gone or have another hash, and from nobody else', async () => {
    const { judge, users, settle } = world({ concurrency: 4 });
    const verdicts = [judge.judge(said('alice', 'a')), judge.judge(said('bob', 'b'))];
    await settle();
    const grounds = (await Promise.all(verdicts)).map((verdict) =>
      verdict !== 'next' && verdict.allowed ? verdict.identity.grounds : undefined,
    );
    expect(judge.replaceUsers(users({ alice: 'a', bob: 'b' }))).toBe(0);
    expect(grounds.map((each) => each?.isWithdrawn)).toEqual([false, false]);
    expect(judge.replaceUsers(users({ alice: 'a' }))).toBe(1);
    expect(grounds.map((each) => each?.isWithdrawn)).toEqual([false, true]);
  });
});
