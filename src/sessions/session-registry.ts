/**
 * All sessions by client id, and the deadlines of those whose client is away: the will's delay and the session's end.
 * Tells its owner what follows from them; does no input or output.
 */
import { CallbackTimer, type TimingWheel, type WheelTimer } from '../core/timing-wheel.js';
import type { StoredOwner, StoredSession } from '../store/catalogue-records.js';
import type { NumberSource } from '../store/message-log.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import { NEVER_EXPIRES, NOT_STORED, Session, type SessionContext } from './session.js';
import type { Will } from './will.js';

/** Told of what the registry decides. */
export interface SessionEvents {
  /** The will is due: publish it. */
  onWillDue(session: Session, will: Will): void;
  /** The session is over; its subscriptions are still listed in it. */
  onSessionEnded(session: Session): void;
}

export interface OpenedSession {
  readonly session: Session;
  /** It existed: Session Present. */
  readonly isPresent: boolean;
  /** Of the end of an earlier one: the client is not told that it has a new one before that is stored. */
  readonly ticket: Ticket;
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
  readonly #numbers: NumberSource;
  #expired = 0;
  #isFrozen = false;
  readonly #wheel: TimingWheel;
  readonly #events: SessionEvents;

  constructor(context: SessionContext, numbers: NumberSource, wheel: TimingWheel, events: SessionEvents) {
    this.#context = context;
    this.#numbers = numbers;
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
   * @param owner whose it is from now on
   */
  open(
    clientId: string,
    cleanStart: boolean,
    expirySeconds: number,
    will: Will | null,
    owner?: StoredOwner,
  ): OpenedSession {
    const known = this.#sessions.get(clientId);
    const ticket = known !== undefined && cleanStart ? this.#end(known) : NO_TICKET;
    const isPresent = known !== undefined && !cleanStart;
    const session = isPresent ? known : this.#create(clientId, expirySeconds);
    this.#clearDeadlines(session);
    this.#sessions.set(clientId, session);
    session.expirySeconds = expirySeconds;
    session.disconnectedAtMs = 0;
    session.owner = owner;
    if (session.isKept) session.connectedWith = this.#context.journal.sessionSaved(session.record);
    this.#setWill(session, will);
    return { session, isPresent, ticket };
  }

  /**
   * Takes over a stored session; {@link finishRestore} follows for each when everything of it is there. One that was
   * connected when the broker ended counts as disconnected now.
   */
  restore(record: StoredSession): Session {
    const session = new Session(record.clientId, this.#context, record.number);
    session.expirySeconds = record.expirySeconds;
    session.disconnectedAtMs = record.disconnectedAtMs;
    session.owner = record.owner;
    this.#sessions.set(record.clientId, session);
    return session;
  }

  /** Arms the deadlines of a session that was taken over. One whose time has run out ends: nobody must find it. */
  finishRestore(session: Session): void {
    if (session.disconnectedAtMs === 0) {
      session.disconnectedAtMs = this.#wheel.nowMs;
      this.#context.journal.sessionSaved(session.record);
      this.#context.journal.stateChanged(session, true);
    }
    const { expirySeconds, disconnectedAtMs } = session;
    if (expirySeconds === 0) this.#end(session);
    else if (expirySeconds !== NEVER_EXPIRES && disconnectedAtMs + expirySeconds * 1000 <= this.#wheel.nowMs) {
      this.#expired++;
      this.#end(session);
    } else this.#armDeadlines(session);
  }

  /**
   * The connection of `session` is over.
   * @param publishWill it did not end with a normal DISCONNECT
   */
  close(session: Session, epoch: number, publishWill: boolean): void {
    if (!session.detach(epoch)) return;
    // [MQTT-3.1.2-10] [MQTT-3.14.4-3]
    if (!publishWill) this.#dropWill(session);
    if (this.#isFrozen) {
      this.#suspend(session);
      return;
    }
    if (session.expirySeconds === 0) {
      this.#end(session);
      return;
    }
    session.disconnectedAtMs = this.#wheel.nowMs;
    this.#context.journal.sessionSaved(session.record);
    this.#armDeadlines(session);
  }

  /**
   * The broker stops: from now on connections that end take nothing with them. Sessions go on after the restart, and
   * wills are due then.
   */
  freeze(): void {
    this.#isFrozen = true;
    for (const { will, end } of this.#deadlines.values()) {
      if (will !== null) this.#wheel.cancel(will);
      if (end !== null) this.#wheel.cancel(end);
    }
  }

  #suspend(session: Session): void {
    session.disconnectedAtMs = this.#wheel.nowMs;
    if (session.isKept) this.#context.journal.sessionSaved(session.record);
  }

  /** Changes how long the session outlives its connection (DISCONNECT may ask for it). Seconds. */
  changeExpiry(session: Session, expirySeconds: number): void {
    session.expirySeconds = expirySeconds;
    if (session.isKept) this.#context.journal.sessionSaved(session.record);
  }

  #create(clientId: string, expirySeconds: number): Session {
    return new Session(clientId, this.#context, expirySeconds === 0 ? NOT_STORED : this.#numbers.next());
  }

  #armDeadlines(session: Session): void {
    const { will, expirySeconds, disconnectedAtMs } = session;
    const deadlines: Deadlines = { will: null, end: null };
    this.#deadlines.set(session, deadlines);
    if (expirySeconds !== NEVER_EXPIRES) {
      deadlines.end = new CallbackTimer(() => {
        this.#expired++;
        this.#end(session);
      });
      this.#wheel.arm(deadlines.end, disconnectedAtMs + expirySeconds * 1000);
    }
    if (will === null) return;
    if (will.delaySeconds === 0) this.#publishWill(session);
    else if (will.delaySeconds < expirySeconds || expirySeconds === NEVER_EXPIRES) {
      deadlines.will = new CallbackTimer(() => this.#publishWill(session));
      this.#wheel.arm(deadlines.will, disconnectedAtMs + will.delaySeconds * 1000);
    }
  }

  /** Every will is stored, also of a session that ends with its connection: a crash of the broker ends it too. */
  #setWill(session: Session, will: Will | null): void {
    if (will === null) this.#dropWill(session);
    else {
      session.will = will;
      this.#context.journal.willSaved(session.clientId, will);
    }
  }

  #publishWill(session: Session): void {
    const { will } = session;
    if (will === null) return;
    session.will = null;
    this.#events.onWillDue(session, will);
  }

  /** A will has been published and is on record where it went: what is stored of it goes, unless there is another. */
  forgetWill(clientId: string): void {
    if ((this.#sessions.get(clientId)?.will ?? null) === null) this.#context.journal.willRemoved(clientId);
  }

  #dropWill(session: Session): void {
    if (session.will === null) return;
    session.will = null;
    this.#context.journal.willRemoved(session.clientId);
  }

  /** @returns the ticket of its removal */
  #end(session: Session): Ticket {
    this.#clearDeadlines(session);
    // The session's end makes a will due whose delay is longer (section 3.1.3.2.2).
    this.#publishWill(session);
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
    const { journal } = this.#context;
    const { record } = session;
    const ticket = session.isKept ? journal.sessionRemoved(record, session.filters()) : NO_TICKET;
    session.end();
    this.#events.onSessionEnded(session);
    return ticket;
  }

  #clearDeadlines(session: Session): void {
    const deadlines = this.#deadlines.get(session);
    if (deadlines === undefined) return;
    this.#deadlines.delete(session);
    if (deadlines.will !== null) this.#wheel.cancel(deadlines.will);
    if (deadlines.end !== null) this.#wheel.cancel(deadlines.end);
  }
}
