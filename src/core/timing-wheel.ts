/**
 * One clock timer for any number of deadlines: a hashed timing wheel (Varghese and Lauck, 1987, scheme 6).
 * Arming and cancelling are O(1) and allocate nothing; a deadline fires on the first tick at or after its time, never
 * before. The wheel asks the clock for ticks only while something is armed.
 *
 *   slots   [0] -> timer <-> timer      a timer hangs in slot (due / tick) mod slots
 *           [1]                         one that is due in a later turn of the wheel is passed over
 *           [2] -> timer
 */
import type { CancelTimer, Clock } from './clock.js';

/** A deadline that can be armed again and again. Subclass it, or give it an owner with {@link CallbackTimer}. */
export abstract class WheelTimer {
  /** Absolute deadline in ms; owned by the wheel. */
  dueAtMs = 0;
  /** Links of the slot's list; owned by the wheel. */
  previous: WheelTimer | null = null;
  next: WheelTimer | null = null;
  slot = -1;

  /** Called by the wheel once the deadline has passed; may arm the same timer again. */
  abstract onDue(nowMs: number): void;
}

export class CallbackTimer extends WheelTimer {
  readonly #callback: (nowMs: number) => void;

  constructor(callback: (nowMs: number) => void) {
    super();
    this.#callback = callback;
  }

  override onDue(nowMs: number): void {
    this.#callback(nowMs);
  }
}

const SLOTS = 512;

export class TimingWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: (WheelTimer | null)[] = new Array<WheelTimer | null>(SLOTS).fill(null);
  #armed = 0;
  #tick: number;
  #cancelTick: CancelTimer | null = null;

  /** @param tickMs resolution: a deadline fires at most this much late (plus event-loop delay) */
  constructor(clock: Clock, tickMs = 100) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#tick = Math.floor(clock.now() / tickMs);
  }

  /** The time on the wheel's clock, ms. */
  get nowMs(): number {
    return this.#clock.now();
  }

  /** Number of deadlines waiting. */
  get size(): number {
    return this.#armed;
  }

  /** Arms `timer` for the absolute time `dueAtMs`; an earlier deadline of the same timer is replaced. */
  arm(timer: WheelTimer, dueAtMs: number): void {
    this.cancel(timer);
    if (this.#armed === 0) this.#tick = Math.floor(this.#clock.now() / this.#tickMs);
    timer.dueAtMs = dueAtMs;
    const dueTick = Math.max(Math.ceil(dueAtMs / this.#tickMs), this.#tick + 1);
    const slot = dueTick % SLOTS;
    const head = this.#slots[slot] ?? null;
    timer.slot = slot;
    timer.next = head;
    timer.previous = null;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
    this.#armed++;
    this.#ensureTicking();
  }

  /** Takes the deadline back; a timer that is not armed is left alone. */
  cancel(timer: WheelTimer): void {
    if (timer.slot === -1) return;
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[timer.slot] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.previous = null;
    timer.next = null;
    timer.slot = -1;
    this.#armed--;
  }

  /** Forgets every deadline and stops ticking. */
  stop(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
    for (let slot = 0; slot < SLOTS; slot++) {
      let timer = this.#slots[slot] ?? null;
      while (timer !== null) {
        const next: WheelTimer | null = timer.next;
        this.cancel(timer);
        timer = next;
      }
    }
  }

  #ensureTicking(): void {
    if (this.#cancelTick !== null) return;
    const nextTickAtMs = (this.#tick + 1) * this.#tickMs;
    this.#cancelTick = this.#clock.schedule(Math.max(1, nextTickAtMs - this.#clock.now()), () => this.#onTick());
  }

  #onTick(): void {
    this.#cancelTick = null;
    const nowMs = this.#clock.now();
    const nowTick = Math.floor(nowMs / this.#tickMs);
    // After a long pause every slot is due at most once.
    const first = Math.max(this.#tick + 1, nowTick - SLOTS + 1);
    const due: WheelTimer[] = [];
    for (let tick = first; tick <= nowTick; tick++) {
      for (let timer = this.#slots[tick % SLOTS] ?? null; timer !== null; timer = timer.next) {
        if (timer.dueAtMs <= nowMs) due.push(timer);
      }
    }
    this.#tick = Math.max(this.#tick, nowTick);
    for (const timer of due) this.#fire(timer, nowMs);
    if (this.#armed > 0) this.#ensureTicking();
  }

  // One deadline's action may have cancelled or moved another that was due in the same tick.
  #fire(timer: WheelTimer, nowMs: number): void {
    if (timer.slot === -1 || timer.dueAtMs > nowMs) return;
    this.cancel(timer);
    timer.onDue(nowMs);
  }
}
