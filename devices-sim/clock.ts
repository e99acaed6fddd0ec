/**
 * Time as the simulator sees it: whoever waits or stamps takes a Clock, so that a test can turn the hands. The broker
 * has one like it; this one is separate because the simulator imports nothing of the broker's.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions; never goes back. */
  now(): number;
  /** Calls `callback` once, not earlier than `delayMs` from now. */
  schedule(delayMs: number, callback: () => void): CancelTimer;
}

/** Cancels a scheduled call; does nothing when the call has happened. */
export type CancelTimer = () => void;

/** The machine's monotonic clock, put on the epoch once at start. */
export class SystemClock implements Clock {
  now(): number {
    return performance.timeOrigin + performance.now();
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }
}

/** Resolves after `delayMs`, or as soon as `signal` is aborted; never rejects. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = () => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.schedule(delayMs, wake);
    signal.addEventListener('abort', wake);
  });
}
