/**
 * Checks of credentials that go well are remembered for a while, and the same check that several wait for is made once: a
 * fleet that comes back after a broken network costs a hash each. Nothing can be read from what is kept: the keys are made
 * with a secret that the process alone has, and does not tell.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import { type Asker, BUSY, type Busy, type CheckLane } from './check-lane.js';

export interface Checked<Outcome> {
  readonly outcome: Outcome;
  /** How long it may be remembered, ms on the clock; 0 for not at all. */
  readonly rememberUntilMs: number;
  /** It was wrong what was shown: where it came from waits behind others for a while. */
  readonly isWrong: boolean;
}

interface Remembered<Outcome> {
  readonly outcome: Outcome;
  readonly untilMs: number;
}

/** A check that has been asked for, for everybody who waits for it. */
class Pending implements Asker {
  readonly address: string;
  readonly #first: Asker;
  /** Null while there is one, as for most. */
  #others: Asker[] | null = null;
  /** Of the check; set as soon as it has been asked for. */
  outcome: Promise<unknown> | null = null;

  constructor(first: Asker) {
    this.address = first.address;
    this.#first = first;
  }

  join(asker: Asker): void {
    this.#others ??= [];
    this.#others.push(asker);
  }

  isWanted(): boolean {
    return this.#first.isWanted() || this.#others?.some((each) => each.isWanted()) === true;
  }

  suspectAll(lane: CheckLane): void {
    lane.suspect(this.address);
    if (this.#others !== null) for (const { address } of this.#others) lane.suspect(address);
  }
}

export class RememberedChecks<Outcome> {
  readonly #lane: CheckLane;
  readonly #clock: Clock;
  readonly #maximumEntries: number;
  readonly #secret = randomBytes(32);
  /** The one used last stands last. */
  readonly #remembered = new Map<string, Remembered<Outcome>>();
  readonly #pending = new Map<string, Pending>();
  #generation = 0;
  #hits = 0;

  /** @param maximumEntries 0 remembers nothing */
  constructor(lane: CheckLane, maximumEntries: number, clock: Clock) {
    this.#lane = lane;
    this.#clock = clock;
    this.#maximumEntries = maximumEntries;
  }

  /** Times that a check was not needed. */
  get hits(): number {
    return this.#hits;
  }

  get size(): number {
    return this.#remembered.size;
  }

  /** The key of a check: of everything that its outcome depends on. */
  keyOf(...parts: readonly (string | Buffer)[]): string {
    const hmac = createHmac('sha256', this.#secret);
    for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
    return hmac.digest('base64');
  }

  find(key: string): Outcome | undefined {
    const known = this.#remembered.get(key);
    if (known === undefined) return undefined;
    this.#remembered.delete(key);
    if (known.untilMs <= this.#clock.now()) return undefined;
    this.#remembered.set(key, known);
    this.#hits++;
    return known.outcome;
  }

  /**
   * Has `work` done in the lane, or waits for the same check of somebody else.
   * @returns rejected if `work` is
   */
  check(key: string, asker: Asker, work: () => Promise<Checked<Outcome>>): Promise<Outcome | Busy> {
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      pending.join(asker);
      return pending.outcome as Promise<Outcome | Busy>;
    }
    const own = new Pending(asker);
    this.#pending.set(key, own);
    const generation = this.#generation;
    const outcome = this.#lane.run(work, own).then(
      (checked) => {
        this.#forget(key, own);
        if (checked === BUSY) return BUSY;
        if (checked.isWrong) own.suspectAll(this.#lane);
        if (generation === this.#generation) this.#remember(key, checked);
        return checked.outcome;
      },
      (error: unknown) => {
        this.#forget(key, own);
        throw error;
      },
    );
    own.outcome = outcome;
    return outcome;
  }

  /** Forgets everything; what is being checked is not remembered, and nobody joins it any more. */
  clear(): void {
    this.#generation++;
    this.#remembered.clear();
    this.#pending.clear();
  }

  #forget(key: string, pending: Pending): void {
    if (this.#pending.get(key) === pending) this.#pending.delete(key);
  }

  #remember(key: string, { outcome, rememberUntilMs }: Checked<Outcome>): void {
    if (this.#maximumEntries === 0 || rememberUntilMs <= this.#clock.now()) return;
    this.#remembered.delete(key);
    if (this.#remembered.size >= this.#maximumEntries) {
      for (const oldest of this.#remembered.keys()) {
        this.#remembered.delete(oldest);
        break;
      }
    }
    this.#remembered.set(key, { outcome, untilMs: rememberUntilMs });
  }
}
