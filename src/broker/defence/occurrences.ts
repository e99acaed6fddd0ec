/** How often something has happened for each of many names within a window of time; bounded, whatever names there are. */
import { AgeingMap } from '../../core/ageing-map.js';

const KEPT = 32_768;

interface Window {
  beganAtMs: number;
  count: number;
}

export class Occurrences {
  readonly #windowMs: number;
  readonly #windows = new AgeingMap<Window>(KEPT);

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** It has happened once more. @returns how often within the window that goes on now */
  count(name: string, nowMs: number): number {
    const window = this.#windows.get(name);
    if (window === undefined || nowMs - window.beganAtMs >= this.#windowMs) {
      this.#windows.set(name, { beganAtMs: nowMs, count: 1 });
      return 1;
    }
    return ++window.count;
  }

  forget(name: string): void {
    this.#windows.delete(name);
  }
}
