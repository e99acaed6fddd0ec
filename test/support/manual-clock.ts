/** A Clock whose hands the test turns. What is scheduled fires within `advance`, in the order of its time. */
import type { CancelTimer, Clock } from '../../src/core/clock.js';

interface Alarm {
  readonly dueAtMs: number;
  readonly sequence: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  #sequence = 0;
  readonly #alarms = new Set<Alarm>();

  constructor(startMs = 1_800_000_000_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  /** Calls that wait. */
  get pending(): number {
    return this.#alarms.size;
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const alarm = { dueAtMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#alarms.add(alarm);
    return () => {
      this.#alarms.delete(alarm);
    };
  }

  /** Lets `ms` pass, stopping at every call that is due on the way. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#earliest(endMs); next !== undefined; next = this.#earliest(endMs)) {
      this.#nowMs = next.dueAtMs;
      this.#fire(next);
    }
    this.#nowMs = endMs;
  }

  /** Lets `ms` pass at once, as for a process that was not run meanwhile; what became due fires late, in order. */
  jump(ms: number): void {
    this.#nowMs += ms;
    for (let next = this.#earliest(this.#nowMs); next !== undefined; next = this.#earliest(this.#nowMs)) {
      this.#fire(next);
    }
  }

  #fire(alarm: Alarm): void {
    this.#alarms.delete(alarm);
    alarm.callback();
  }

  #earliest(untilMs: number): Alarm | undefined {
    let earliest: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.dueAtMs > untilMs) continue;
      const isEarlier =
        earliest === undefined ||
        alarm.dueAtMs < earliest.dueAtMs ||
        (alarm.dueAtMs === earliest.dueAtMs && alarm.sequence < earliest.sequence);
      if (isEarlier) earliest = alarm;
    }
    return earliest;
  }
}
