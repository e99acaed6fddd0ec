/**
 * Notices that the process cannot keep up: its event loop runs late for seconds, or its memory runs out. New clients are refused
 * then, so that those who are connected are served: first by CONNACK, and when it is much worse at accept. It goes back
 * to normal when all is well below the limits for a while. Whether the broker is ready is not touched by that.
 */
import type { Logger } from 'pino';
import type { CancelTimer, Clock } from '../core/clock.js';
import type { BrokerLimits } from './broker-options.js';
import type { ProcessLoad } from './process-load.js';

const SAMPLE_MS = 100;
const MEMORY_SAMPLE_MS = 1000;
/** Over such a time the delay is averaged: one long garbage collection is no overload. */
const AVERAGED_OVER_MS = 3000;
/** Later than that, and it was the machine that slept, or the process was stopped; so many times in a row, and it is the broker. */
const LONGEST_DELAY_MS = 10_000;
const SLEEPS_IN_A_ROW = 3;
/** How far above its limit a figure has to be for nobody to be let in. */
const MUCH_WORSE = { delay: 5, heap: 1.05, resident: 1.15 };
/** Below these parts of the limits for so long, and it is over. */
const RECOVERED_PART = { delay: 0.5, memory: 0.95 };
const RECOVERY_MS = 5000;

export type LoadState = 'normal' | 'busy' | 'full';

export class OverloadGuard {
  readonly #limits: BrokerLimits;
  readonly #clock: Clock;
  readonly #load: ProcessLoad;
  readonly #logger: Logger;
  #state: LoadState = 'normal';
  #times = 0;
  #delayMs = 0;
  #sleeps = 0;
  #sampledAtMs = 0;
  #memorySampledAtMs = Number.NEGATIVE_INFINITY;
  #heapShare = 0;
  #residentBytes = 0;
  #calmSinceMs: number | null = null;
  #cancel: CancelTimer | null = null;
  /** Clients that were told that the broker is busy. */
  refusedConnects = 0;

  constructor(limits: BrokerLimits, clock: Clock, load: ProcessLoad, logger: Logger) {
    this.#limits = limits;
    this.#clock = clock;
    this.#load = load;
    this.#logger = logger;
  }

  get state(): LoadState {
    return this.#state;
  }

  /** Times that it has come to that. */
  get times(): number {
    return this.#times;
  }

  /** How late the event loop is, on average, ms. */
  get delayMs(): number {
    return Math.round(this.#delayMs);
  }

  /** Begins to watch, if there is anything to be watched. */
  start(): void {
    const { overloadDelayMs, overloadHeapShare, overloadResidentBytes } = this.#limits;
    if (overloadDelayMs + overloadHeapShare + overloadResidentBytes === 0) return;
    this.#sampledAtMs = this.#clock.now();
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    this.#cancel = this.#clock.schedule(SAMPLE_MS, () => this.#onSample());
  }

  #onSample(): void {
    const nowMs = this.#clock.now();
    const elapsedMs = nowMs - this.#sampledAtMs;
    this.#sampledAtMs = nowMs;
    this.#sleeps = elapsedMs > LONGEST_DELAY_MS ? this.#sleeps + 1 : 0;
    if (this.#sleeps === 0 || this.#sleeps > SLEEPS_IN_A_ROW) this.#average(Math.min(elapsedMs, LONGEST_DELAY_MS));
    if (nowMs - this.#memorySampledAtMs >= MEMORY_SAMPLE_MS) this.#sampleMemory(nowMs);
    this.#judge(nowMs);
    this.#schedule();
  }

  #average(elapsedMs: number): void {
    const lateMs = Math.max(0, elapsedMs - SAMPLE_MS);
    this.#delayMs += ((lateMs - this.#delayMs) * elapsedMs) / (elapsedMs + AVERAGED_OVER_MS);
  }

  #sampleMemory(nowMs: number): void {
    this.#memorySampledAtMs = nowMs;
    if (this.#limits.overloadHeapShare > 0) this.#heapShare = this.#load.heapShare();
    if (this.#limits.overloadResidentBytes > 0) this.#residentBytes = this.#load.residentBytes();
  }

  #judge(nowMs: number): void {
    const found: LoadState = this.#isAbove(MUCH_WORSE.delay, MUCH_WORSE.heap, MUCH_WORSE.resident)
      ? 'full'
      : this.#isAbove(1, 1, 1)
        ? 'busy'
        : 'normal';
    if (rankOf(found) > rankOf(this.#state)) {
      this.#enter(found);
      return;
    }
    if (this.#state === 'normal') return;
    if (this.#isAbove(RECOVERED_PART.delay, RECOVERED_PART.memory, RECOVERED_PART.memory)) this.#calmSinceMs = null;
    else this.#calmSinceMs ??= nowMs;
    if (this.#calmSinceMs !== null && nowMs - this.#calmSinceMs >= RECOVERY_MS) this.#enter('normal');
  }

  #isAbove(delayPart: number, heapPart: number, residentPart: number): boolean {
    const { overloadDelayMs, overloadHeapShare, overloadResidentBytes } = this.#limits;
    return (
      (overloadDelayMs > 0 && this.#delayMs > overloadDelayMs * delayPart) ||
      (overloadHeapShare > 0 && this.#heapShare > overloadHeapShare * heapPart) ||
      (overloadResidentBytes > 0 && this.#residentBytes > overloadResidentBytes * residentPart)
    );
  }

  #enter(state: LoadState): void {
    if (this.#state === 'normal') this.#times++;
    this.#state = state;
    this.#calmSinceMs = null;
    const about = {
      eventLoopDelayMs: this.delayMs,
      heapPercent: Math.round(this.#heapShare * 100),
      residentBytes: this.#residentBytes,
      refusedConnects: this.refusedConnects,
    };
    if (state === 'normal') this.#logger.info(about, 'the broker keeps up again: new clients are let in');
    else if (state === 'busy') this.#logger.warn(about, 'the broker is overloaded: new clients are refused');
    else this.#logger.warn(about, 'the broker is much overloaded: new connections are closed at once');
  }
}

function rankOf(state: LoadState): number {
  return state === 'normal' ? 0 : state === 'busy' ? 1 : 2;
}
