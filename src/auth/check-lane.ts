/**
 * Where checks of credentials wait that take time: few run at once, others wait in line, and not for long. What checks share
 * with the rest of the broker (Node's thread pool, which syncs the database too; the cores) is not theirs alone,
 * and a client that waits too long is told to come again instead of being checked for nobody.
 *
 * Who floods the broker with wrong passwords must not keep others out: each address has a line of its own, and those from which nothing wrong
 * has come lately have three turns of four.
 *
 *   clean    ─▶ 10.0.0.7, 10.0.0.9 …    one check of each address in turn ─┬─▶ at most so many at once
 *   suspect  ─▶ 203.0.113.5 …           every fourth turn ─────────────────┘
 */
import { addressKey } from '../core/address-key.js';
import { AgeingMap } from '../core/ageing-map.js';
import type { Clock } from '../core/clock.js';
import { type Linked, LinkedList } from '../core/linked-list.js';

export interface LaneLimits {
  /** Checks that run at once. */
  readonly concurrency: number;
  /** Checks that wait for their turn; one more is refused. */
  readonly maximumWaiting: number;
  /** What has waited for longer is refused when its turn comes. */
  readonly maximumWaitMs: number;
}

/** For whom something is checked. */
export interface Asker {
  /** Where he comes from; '' for who has been let in already, and for the broker itself. */
  readonly address: string;
  /** Asked when the turn comes: what nobody wants any more is not begun, and ends as busy. */
  isWanted(): boolean;
}

/** Instead of an outcome: too many wait, or it has waited for too long. */
export const BUSY = Symbol('busy');
export type Busy = typeof BUSY;

/** Of so many turns, suspects have one: a site with one device that has a wrong password gets its others in, too. */
const SUSPECTS_TURN = 4;

/** Since wrong credentials came from an address. */
const SUSPECT_FOR_MS = 600_000;

/** Addresses; some 5 MiB. */
const SUSPECTS_KEPT = 32_768;

/** A check that waits, or runs. What it was asked for with is kept in it: thousands may wait, so there is no function for each. */
class Check implements Linked<Check> {
  before: Check | null = null;
  behind: Check | null = null;
  readonly work: () => Promise<unknown>;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly asker: Asker;
  readonly endsAtMs: number;

  constructor(
    work: () => Promise<unknown>,
    resolve: (outcome: unknown) => void,
    reject: (error: unknown) => void,
    asker: Asker,
    endsAtMs: number,
  ) {
    this.work = work;
    this.resolve = resolve;
    this.reject = reject;
    this.asker = asker;
    this.endsAtMs = endsAtMs;
  }

  refuse(): void {
    this.resolve(BUSY);
  }
}

/** What waits for one address; it is in one of the lists as long as that is anything. */
class Line implements Linked<Line> {
  before: Line | null = null;
  behind: Line | null = null;
  readonly key: string;
  readonly waiting = new LinkedList<Check>();
  /** In which of the lists it is. */
  isSuspect: boolean;

  constructor(key: string, isSuspect: boolean) {
    this.key = key;
    this.isSuspect = isSuspect;
  }
}

export class CheckLane {
  readonly #limits: LaneLimits;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  readonly #clean = new LinkedList<Line>();
  readonly #suspect = new LinkedList<Line>();
  /** When wrong credentials came from an address last. */
  readonly #failedAtMs = new AgeingMap<number>(SUSPECTS_KEPT);
  #waiting = 0;
  #running = 0;
  #turns = 0;
  #refused = 0;

  constructor(limits: LaneLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Checks that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Checks that were not made because of too many others. */
  get refused(): number {
    return this.#refused;
  }

  /** Runs `work` in its turn. @returns rejected if `work` is */
  run<Outcome>(work: () => Promise<Outcome>, asker: Asker): Promise<Outcome | Busy> {
    return new Promise<unknown>((resolve, reject) => {
      const endsAtMs = this.#clock.now() + this.#limits.maximumWaitMs;
      this.#admit(new Check(work, resolve, reject, asker, endsAtMs));
    }) as Promise<Outcome | Busy>;
  }

  #admit(check: Check): void {
    if (this.#running < this.#limits.concurrency) {
      this.#begin(check);
      return;
    }
    const key = addressKey(check.asker.address);
    if (this.#hasRoomFor(key)) this.#enqueue(key, check);
    else {
      this.#refused++;
      check.refuse();
    }
  }

  #begin(check: Check): void {
    this.#running++;
    check
      .work()
      .then(check.resolve, check.reject)
      .finally(() => {
        this.#running--;
        this.#advance();
      });
  }

  /** What came from the address was wrong: it waits behind others for a while. */
  suspect(address: string): void {
    if (address === '') return;
    const key = addressKey(address);
    this.#failedAtMs.set(key, this.#clock.now());
    const line = this.#lines.get(key);
    if (line === undefined || line.isSuspect) return;
    this.#clean.delete(line);
    line.isSuspect = true;
    this.#suspect.add(line);
  }

  #isSuspect(key: string): boolean {
    const failedAtMs = this.#failedAtMs.get(key);
    return failedAtMs !== undefined && this.#clock.now() < failedAtMs + SUSPECT_FOR_MS;
  }

  /** Who is not suspect takes the place of somebody who is. */
  #hasRoomFor(key: string): boolean {
    if (this.#waiting < this.#limits.maximumWaiting) return true;
    if (this.#suspect.first === null || this.#isSuspect(key)) return false;
    this.#refused++;
    this.#takeFrom(this.#suspect)?.refuse();
    return true;
  }

  #enqueue(key: string, check: Check): void {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new Line(key, this.#isSuspect(key));
      this.#lines.set(key, line);
      (line.isSuspect ? this.#suspect : this.#clean).add(line);
    }
    line.waiting.add(check);
    this.#waiting++;
  }

  #advance(): void {
    const nowMs = this.#clock.now();
    while (this.#running < this.#limits.concurrency) {
      const isSuspectsTurn = this.#turns % SUSPECTS_TURN === SUSPECTS_TURN - 1;
      const [first, second] = isSuspectsTurn ? [this.#suspect, this.#clean] : [this.#clean, this.#suspect];
      const next = this.#takeFrom(first) ?? this.#takeFrom(second);
      if (next === null) return;
      if (!next.asker.isWanted()) next.refuse();
      else if (next.endsAtMs < nowMs) {
        this.#refused++;
        next.refuse();
      } else {
        this.#turns++;
        this.#begin(next);
      }
    }
  }

  /** What has waited longest for the address whose turn it is, which comes last then. */
  #takeFrom(lines: LinkedList<Line>): Check | null {
    const line = lines.first;
    const next = line?.waiting.first ?? null;
    if (line === null || next === null) return null;
    line.waiting.delete(next);
    this.#waiting--;
    lines.delete(line);
    if (line.waiting.size > 0) lines.add(line);
    else this.#lines.delete(line.key);
    return next;
  }
}
