/**
 * All sessions by client id, and the deadlines of those whose client is away: the will's delay and the session's end.
 * Tells its owner what follows from them; does no input or output.
 */
import { CallbackTimer, type TimingWheel, type WheelTimer } from '../core/timing-wheel.js';
import { NEVER_EXPIRES, Session, type SessionContext } from './session.js';
import type { Will } from './will.js';

/** Told of what the registry decides. */
export interface SessionEvents {
  /** The will is due: publish it. */
  onWillDue(session: Session, will: Will): void;
  /** The session is over; its subscriptions are still listed in it. */
  onSessionEnded(session: Session): void;
}

interface Deadlines {
  will: WheelTimer | null;
  end: WheelTimer | null;
}

export class SessionRegistry {
  readonly #sessions = new Map<string, Session>();
  /** Of sessions whose client is away. */
  readonly #deadlines = new Map<Session, Deadlines>();
  readonly #context: SessionContext;
  #expired = 0;
  readonly #wheel: TimingWheel;
  readonly #events: SessionEvents;

  constructor(context: SessionContext, wheel: TimingWheel, events: SessionEvents) {
    this.#context = context;
    this.#wheel = wheel;
    this.#events = events;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Sessions whose expiry has run out so far. */
  get expiredCount(): number {
    return this.#expired;
  }

  get disconnectedCount(): number {
    return this.#deadlines.size;
  }

  find(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /**
   * The session for a client that connects, whose earlier connection (if any) has been detached already.
   * A clean start ends the old one [MQTT-3.1.2-4]; otherwise it goes on, and a will that waits is taken back
   * [MQTT-3.1.3-9].
   * @returns whether it existed: Session Present
   */
  open(
    clientId: string,
    cleanStart: boolean,
    expirySeconds: number,
    will: Will | null,
  ): { session: Session; isPresent: boolean } {
    const known = this.#sessions.get(clientId);
    if (known !== undefined && cleanStart) this.#end(known);
    const isPresent = known !== undefined && !cleanStart;
    const session = isPresent ? known : new Session(clientId, this.#context);
    this.#clearDeadlines(session);
    this.#sessions.set(clientId, session);
    const wasPersistent = session.isPersistent;
    session.expirySeconds = expirySeconds;
    session.will = will;
    if (session.isPersistent) this.#record(session, will);
    else if (wasPersistent) this.#context.journal.sessionRemoved(clientId);
    return { session, isPresent };
  }

  /**
   * The connection of `session` is over.
   * @param publishWill it did not end with a normal DISCONNECT
   */
  close(session: Session, epoch: number, publishWill: boolean): void {
    if (!session.detach(epoch)) return;
    // [MQTT-3.1.2-10] [MQTT-3.14.4-3]
    if (!publishWill) this.#dropWill(session);
    if (session.expirySeconds === 0) {
      this.#end(session);
      return;
    }
    const deadlines: Deadlines = { will: null, end: null };
    this.#deadlines.set(session, deadlines);
    const nowMs = this.#wheel.nowMs;
    if (session.expirySeconds !== NEVER_EXPIRES) {
      deadlines.end = new CallbackTimer(() => {
        this.#expired++;
        this.#end(session);
      });
      this.#wheel.arm(deadlines.end, nowMs + session.expirySeconds * 1000);
    }
    if (session.will === null) return;
    if (session.will.delaySeconds === 0) this.#publishWill(session);
    else if (session.will.delaySeconds < session.expirySeconds || session.expirySeconds === NEVER_EXPIRES) {
      deadlines.will = new CallbackTimer(() => this.#publishWill(session));
      this.#wheel.arm(deadlines.will, nowMs + session.will.delaySeconds * 1000);
    }
  }

  /** Changes how long the session outlives its connection (DISCONNECT may ask for it). Seconds. */
  changeExpiry(session: Session, expirySeconds: number): void {
    session.expirySeconds = expirySeconds;
    const { journal } = this.#context;
    if (session.isPersistent) journal.sessionSaved({ clientId: session.clientId, expirySeconds });
    else journal.sessionRemoved(session.clientId);
  }

  #record(session: Session, will: Will | null): void {
    const { journal } = this.#context;
    const { clientId, expirySeconds } = session;
    journal.sessionSaved({ clientId, expirySeconds });
    if (will === null) journal.willRemoved(clientId);
    else journal.willSaved(clientId, will);
  }

  #publishWill(session: Session): void {
    const { will } = session;
    if (will === null) return;
    this.#dropWill(session);
    this.#events.onWillDue(session, will);
  }

  #dropWill(session: Session): void {
    if (session.will === null) return;
    session.will = null;
    if (session.isPersistent) this.#context.journal.willRemoved(session.clientId);
  }

  #end(session: Session): void {
    this.#clearDeadlines(session);
    // The session's end makes a will due whose delay is longer (section 3.1.3.2.2).
    this.#publishWill(session);
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
    if (session.isPersistent) this.#context.journal.sessionRemoved(session.clientId);
    this.#events.onSessionEnded(session);
    session.end();
  }

  #clearDeadlines(session: Session): void {
    const deadlines = this.#deadlines.get(session);
    if (deadlines === undefined) return;
    this.#deadlines.delete(session);
    if (deadlines.will !== null) this.#wheel.cancel(deadlines.will);
    if (deadlines.end !== null) this.#wheel.cancel(deadlines.end);
  }
}
