/**
 * A back end that is asked about clients by HTTP: it is sent what the client says and has shown, as JSON, and answers whether it
 * is let in, as whom, with what rights, and for how long. It is asked about clients that have a user name, a password or a
 * certificate; others are nobody that it could know.
 */
import { isUtf8 } from 'node:buffer';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.js';
import type { NoticeLimit } from '../core/notice-limit.js';
import type { ConnectRequest } from './authenticator.js';
import { boundedFetch, NoAnswer } from './bounded-fetch.js';
import { BUSY, CheckLane, type LaneLimits } from './check-lane.js';
import { askerOf, busy, type CredentialJudge, unavailable, unidentified, type Verdict } from './credential-judge.js';
import { readRoles, readRules, UnusableClaim } from './granted-claims.js';
import { type Checked, RememberedChecks } from './remembered-checks.js';
import { isUsableName } from './usable-name.js';

export interface HttpJudgeOptions {
  readonly url: string;
  /** Sent with each request: names in small letters, and values that may be secrets. */
  readonly headers: ReadonlyMap<string, string>;
  readonly timeoutMs: number;
  readonly lane: LaneLimits;
  /** How long an allowed client need not be asked about again, ms; 0 for each time. */
  readonly rememberMs: number;
  readonly maximumRemembered: number;
  /** What happens to clients while there is no answer: they are refused, or decided on as if it did not know them. */
  readonly whenDown: 'deny' | 'ignore';
}

const LARGEST_ANSWER_BYTES = 64 * 1024;

/** Of an answer whose use is refused, or that cannot be had. */
class NoVerdict {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

type HttpOutcome = Verdict | NoVerdict;

export class HttpJudge implements CredentialJudge {
  readonly name = 'http';
  readonly #options: HttpJudgeOptions;
  readonly #lane: CheckLane;
  readonly #checks: RememberedChecks<HttpOutcome>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #notices: NoticeLimit;
  #headers: ReadonlyMap<string, string>;
  #failures = 0;

  constructor(options: HttpJudgeOptions, clock: Clock, logger: Logger, notices: NoticeLimit) {
    this.#options = options;
    this.#lane = new CheckLane(options.lane, clock);
    this.#checks = new RememberedChecks(this.#lane, options.rememberMs === 0 ? 0 : options.maximumRemembered, clock);
    this.#clock = clock;
    this.#logger = logger;
    this.#notices = notices;
    this.#headers = options.headers;
  }

  /** From the next request on. */
  replaceHeaders(headers: ReadonlyMap<string, string>): void {
    this.#headers = headers;
  }

  judge(request: ConnectRequest): Verdict | Promise<Verdict> {
    const { username, password, certificate } = request;
    if (username === undefined && password === undefined && certificate === null) return 'next';
    const question = questionOf(request);
    const key = this.#checks.keyOf(question);
    const known = this.#checks.find(key);
    if (known !== undefined) return this.#verdictOf(known);
    return this.#checks
      .check(key, askerOf(request), () => this.#ask(request, question))
      .then((outcome) =>
        outcome === BUSY ? busy('too many clients are being asked about') : this.#verdictOf(outcome),
      );
  }

  *figures(): Generator<readonly [topic: string, value: number]> {
    yield ['authentication/http/remembered', this.#checks.hits];
    yield ['authentication/http/failed requests', this.#failures];
    yield ['authentication/http/waiting', this.#lane.waiting];
    yield ['authentication/http/refused as busy', this.#lane.refused];
  }

  async #ask(request: ConnectRequest, body: string): Promise<Checked<HttpOutcome>> {
    const headers = {
      accept: 'application/json',
      ...Object.fromEntries(this.#headers),
      'content-type': 'application/json',
    };
    const { url, timeoutMs, rememberMs } = this.#options;
    const answer = await boundedFetch(
      url,
      { method: 'POST', headers, body, timeoutMs, maximumBytes: LARGEST_ANSWER_BYTES },
      this.#clock,
    );
    const nowMs = this.#clock.now();
    const outcome =
      answer instanceof NoAnswer ? new NoVerdict(answer.reason) : outcomeOf(answer.status, answer.text, request, nowMs);
    if (outcome instanceof NoVerdict) this.#onFailure(outcome.reason);
    if (outcome === 'next' || outcome instanceof NoVerdict) return { outcome, rememberUntilMs: 0, isWrong: false };
    if (!outcome.allowed) return { outcome, rememberUntilMs: 0, isWrong: outcome.why === 'unidentified' };
    const rememberUntilMs = Math.min(nowMs + rememberMs, outcome.identity.expiresAtMs);
    return { outcome, rememberUntilMs, isWrong: false };
  }

  #verdictOf(outcome: HttpOutcome): Verdict {
    if (!(outcome instanceof NoVerdict)) return outcome;
    return this.#options.whenDown === 'ignore' ? 'next' : unavailable(`authentication by HTTP: ${outcome.reason}`);
  }

  #onFailure(reason: string): void {
    this.#failures++;
    const keptBack = this.#notices.offer('authentication by HTTP');
    if (keptBack === null) return;
    const { origin } = new URL(this.#options.url);
    this.#logger.warn({ url: origin, reason, keptBack }, 'the back end that is asked about clients gives no answer');
  }
}

function questionOf({
  clientId,
  username,
  password,
  remoteAddress,
  listenerName,
  certificate,
}: ConnectRequest): string {
  const isText = password !== undefined && isUtf8(password);
  return JSON.stringify({
    clientId,
    username,
    password: isText ? password.toString() : undefined,
    passwordBase64: isText ? undefined : password?.toString('base64'),
    address: remoteAddress,
    listener: listenerName,
    certificate:
      certificate === null ? undefined : { subject: certificate.subject, fingerprint: certificate.fingerprint },
  });
}

interface HttpAnswer {
  readonly result?: unknown;
  readonly username?: unknown;
  readonly roles?: unknown;
  readonly acl?: unknown;
  readonly expiresIn?: unknown;
}

function outcomeOf(status: number, text: string, request: ConnectRequest, nowMs: number): HttpOutcome {
  if (status < 200 || status > 299) return new NoVerdict(`it has answered ${status}`);
  const answer = parseAnswer(text);
  if (answer === null) return new NoVerdict('its answer is no JSON object');
  const { result, username: named, roles: roleNames, acl, expiresIn } = answer;
  if (result === 'ignore') return 'next';
  if (result === 'deny') return unidentified('the back end has denied it');
  if (result !== 'allow') return new NoVerdict('its answer has no result that is allow, deny or ignore');
  const username = named ?? request.username ?? null;
  if (username !== null && !isUsableName(username))
    return new NoVerdict('its answer has a username that cannot be one');
  const roles = readRoles(roleNames);
  if (roles instanceof UnusableClaim) return new NoVerdict(`roles of its answer ${roles.reason}`);
  const rules = readRules(acl, { clientId: request.clientId, username });
  if (rules instanceof UnusableClaim) return new NoVerdict(`acl of its answer ${rules.reason}`);
  if (expiresIn !== undefined && expiresIn !== null && !(typeof expiresIn === 'number' && expiresIn > 0)) {
    return new NoVerdict('expiresIn of its answer is no number of seconds');
  }
  const expiresAtMs = typeof expiresIn === 'number' ? nowMs + expiresIn * 1000 : Number.POSITIVE_INFINITY;
  return { allowed: true, identity: { username, roles, rules, expiresAtMs } };
}

function parseAnswer(text: string): HttpAnswer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
