/**
 * The retained messages that one client's new subscriptions bring: one replay for each subscription, in the order of the
 * subscriptions, and no more in one turn than leaves others theirs.
 */
import type { Message } from '../core/message.js';
import type { DeliveryOptions } from '../core/subscriber.js';
import type { Session } from '../sessions/session.js';
import type { BrokerContext } from './broker-context.js';
import type { ReplayTarget, RetainedReplay } from './retained-replay.js';

/** Searches that may come to their end in one turn: each takes some ten microseconds at most. */
const REPLAYS_PER_TURN = 16;

export class RetainedReplays implements ReplayTarget {
  readonly #context: BrokerContext;
  readonly #session: Session;
  /** By filter: a SUBSCRIBE that is repeated starts its replay anew. */
  readonly #replays = new Map<string, RetainedReplay>();

  constructor(context: BrokerContext, session: Session) {
    this.#context = context;
    this.#session = session;
  }

  get isDone(): boolean {
    return this.#replays.size === 0;
  }

  add(replays: readonly RetainedReplay[]): void {
    for (const replay of replays) {
      this.#replays.delete(replay.filter);
      this.#replays.set(replay.filter, replay);
    }
  }

  /** The subscriptions are gone, and nothing more is sent for them [MQTT-3.10.4-2]. */
  end(filters: readonly string[]): void {
    for (const filter of filters) this.#replays.delete(filter);
  }

  /** Sends the next slice. */
  advance(): void {
    let left = REPLAYS_PER_TURN;
    for (const [filter, replay] of this.#replays) {
      if (!replay.advance(this)) return;
      this.#replays.delete(filter);
      if (--left === 0) return;
    }
  }

  get canTakeRetained(): boolean {
    return this.#session.canTakeMore;
  }

  sendRetained(message: Message, options: DeliveryOptions): void {
    const { retained, router, clock } = this.#context;
    const nowMs = clock.now();
    if (retained.check(message, nowMs)) router.sendTo(this.#session, message, options, nowMs);
  }
}
