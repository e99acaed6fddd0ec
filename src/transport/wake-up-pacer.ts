/**
 * Lets the event loop rest at the end of a turn when turns are many and small, so that one wake-up takes what came
 * meanwhile, and one read what a client wrote in several pieces. Network cards do the same with their interrupts
 * (adaptive interrupt moderation). What comes to a loop that has been idle for an interval is handled at once.
 *
 * Clients that wait for an answer before they go on are slowed by rests, and nothing is gained. So it is tried: if fewer
 * packets come with rests than without, or a packet costs about as much of the processor, they end, and are tried again
 * later. Now and then a window without rests shows how it would be. Packets, and not bytes: the acknowledgements of one
 * client are lost among the messages of others.
 */
import type { Clock } from '../core/clock.js';

/** How long is counted before it is judged. */
const WINDOW_MS = 100;
/** So many windows with rests, then one without. */
const WINDOWS_WITH_RESTS = 20;
/** Rests are tried when there are more turns than this in an interval, each with fewer bytes than that. */
const MANY_TURNS = 1.5;
const SMALL_TURN_BYTES = 4096;
/** Of what came without rests, this part must come with them, for this part of the processor time of a packet. */
const KEPT_RATE = 0.85;
const WORTHWHILE_COST = 0.9;
/** So many windows in a row that fall short end the rests: one may be a pause of the machine. */
const BAD_WINDOWS = 2;
/** Until the next trial after one that failed; twice as long after each further one. */
const SHORTEST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 16_000;
/** Going to sleep and waking up takes some of it. */
const SHORTEST_REST_MS = 0.1;

/** The thread that rests. */
export interface RestingThread {
  rest(durationMs: number): void;
  /** What its process has had of the processor. */
  processorMs(): number;
}

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(4));

const THIS_THREAD: RestingThread = {
  rest: (durationMs) => {
    Atomics.wait(NEVER_NOTIFIED, 0, 0, durationMs);
  },
  processorMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** What is under way, as the pacer sees it. */
export interface PacedWork {
  /** The loop is needed as soon as something is done. */
  isBusy(): boolean;
  /** Packets of all clients so far. */
  packetsReceived(): number;
}

export class WakeUpPacer {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #work: PacedWork;
  readonly #thread: RestingThread;
  #mayRest = false;
  #turns = 0;
  #wokeAtMs = 0;
  #windowBeganAtMs = 0;
  #bytesBefore = 0;
  #packetsBefore = 0;
  #processorMsBefore = 0;
  #isNextTurnWanted = false;
  /** Packets in a millisecond, and the processor's milliseconds for one, in the last window without rests. */
  #freeRate = 0;
  #freeCost = 0;
  #windowsLeft = 0;
  #badWindows = 0;
  #pauseMs = SHORTEST_PAUSE_MS;
  #nextTrialAtMs = 0;
  #rests = 0;

  /** @param intervalMs from the end of a rest to the end of the next one, at least */
  constructor(intervalMs: number, clock: Clock, work: PacedWork, thread: RestingThread = THIS_THREAD) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
    this.#work = work;
    this.#thread = thread;
  }

  /** How often the loop has rested so far. */
  get rests(): number {
    return this.#rests;
  }

  /** There is no rest at the end of this turn: the next one does what only one can be done of in each. */
  skipRest(): void {
    this.#isNextTurnWanted = true;
  }

  /**
   * To be called at the end of each turn that had something to send.
   * @param bytesSent to all connections so far
   */
  endTurn(bytesSent: number): void {
    const nowMs = this.#clock.elapsedMs();
    this.#turns++;
    if (nowMs - this.#windowBeganAtMs >= WINDOW_MS) this.#judge(nowMs, bytesSent);
    const isWanted = this.#isNextTurnWanted;
    this.#isNextTurnWanted = false;
    if (!this.#mayRest) return;
    const restMs = this.#wokeAtMs + this.#intervalMs - nowMs;
    if (restMs < SHORTEST_REST_MS || isWanted || this.#work.isBusy()) {
      this.#wokeAtMs = nowMs;
      return;
    }
    this.#thread.rest(restMs);
    this.#rests++;
    this.#wokeAtMs = this.#clock.elapsedMs();
  }

  /** Ends a window, and says whether there are rests in the next one. */
  #judge(nowMs: number, bytesSent: number): void {
    const processorMs = this.#thread.processorMs();
    const windowMs = nowMs - this.#windowBeganAtMs;
    const packetsReceived = this.#work.packetsReceived();
    const packets = packetsReceived - this.#packetsBefore;
    const rate = packets / windowMs;
    const cost = (processorMs - this.#processorMsBefore) / packets;
    if (!this.#mayRest) {
      this.#freeRate = rate;
      this.#freeCost = cost;
      const isMany = (this.#turns / windowMs) * this.#intervalMs > MANY_TURNS;
      const isSmall = (bytesSent - this.#bytesBefore) / this.#turns < SMALL_TURN_BYTES;
      this.#mayRest = isMany && isSmall && nowMs >= this.#nextTrialAtMs;
      this.#windowsLeft = WINDOWS_WITH_RESTS;
      this.#badWindows = 0;
    } else if (rate >= KEPT_RATE * this.#freeRate && cost <= WORTHWHILE_COST * this.#freeCost) {
      this.#badWindows = 0;
      this.#pauseMs = SHORTEST_PAUSE_MS;
      this.#mayRest = --this.#windowsLeft > 0;
    } else if (++this.#badWindows === BAD_WINDOWS) {
      this.#mayRest = false;
      this.#nextTrialAtMs = nowMs + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
    this.#windowBeganAtMs = nowMs;
    this.#bytesBefore = bytesSent;
    this.#packetsBefore = packetsReceived;
    this.#processorMsBefore = processorMs;
    this.#turns = 0;
  }
}
