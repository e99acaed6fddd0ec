/**
 * Time as the rest of the broker sees it. Everything that waits or stamps takes a Clock, so that tests can turn the
 * hands themselves; nothing outside this file and the composition root asks the operating system for the time.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. Never goes back, whatever happens to the wall clock. */
  now(): number;
  /** Milliseconds since some moment, with fractions: for what is over in less than one. */
  elapsedMs(): number;
  /** Calls `callback` once, not earlier than `delayMs` from now. Does not keep the process alive. */
  schedule(delayMs: number, callback: () => void): CancelTimer;
}

/** Cancels a scheduled call; calling it again, or after the call has happened, does nothing. */
export type CancelTimer = () => void;

/** The machine's monotonic clock, put on the epoch once at start: an NTP step neither expires nor revives anything. */
export class SystemClock implements Clock {
  now(): number {
    return Math.floor(performance.timeOrigin + performance.now());
  }

  elapsedMs(): number {
    return performance.now();
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}
