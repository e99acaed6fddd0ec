/**
 * Two clients with one client id throw each other out, and come back, for ever: each takeover is lawful [MQTT-3.1.4-3], and together
 * they keep both from working. After so many, whoever has the id is left alone for a while, and the other one is refused.
 */
import { AgeingMap } from '../../core/ageing-map.js';
import type { DefenceOptions } from './defence-options.js';
import { Occurrences } from './occurrences.js';

const KEPT = 32_768;

export class TakeoverWatch {
  readonly #options: DefenceOptions;
  readonly #takeovers: Occurrences;
  /** By client id: until when it is not taken over. */
  readonly #pauses = new AgeingMap<number>(KEPT);

  constructor(options: DefenceOptions) {
    this.#options = options;
    this.#takeovers = new Occurrences(options.takeoverWindowMs);
  }

  /**
   * A connection with this client id is open, and another one wants it.
   * @returns `fight` when it has come to that just now; `paused` while the one that has it is left alone
   */
  onTakeover(clientId: string, nowMs: number): 'allowed' | 'fight' | 'paused' {
    const { takeovers, takeoverPauseMs } = this.#options;
    if (takeovers === 0) return 'allowed';
    const pausedUntilMs = this.#pauses.get(clientId);
    if (pausedUntilMs !== undefined && nowMs < pausedUntilMs) return 'paused';
    if (this.#takeovers.count(clientId, nowMs) <= takeovers) return 'allowed';
    this.#pauses.set(clientId, nowMs + takeoverPauseMs);
    return 'fight';
  }
}
