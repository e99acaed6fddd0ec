/**
 * The retained messages that one client's new subscriptions bring: one replay for each subscription, in the order of the
 * subscriptions, and no more in one turn than leaves others theirs. A kept session remembers which of them its connection
 * has cut off: they start anew on the next one. What comes twice by that is a message of its own, at QoS 2 too. After a
 * restart of the broker they do not go on: to know would cost a record at the start and the end of each.
 */
import type { Message } from '../core/message.js';
import type { DeliveryOptions, Subscriber } from '../core/subscriber.js';
import type { Session } from '../sessions/session.js';
import type { Subscription } from '../topics/subscription.js';
import { knownFilter } from '../topics/topic-filter.js';
import type { BrokerContext } from './broker-context.js';
import type { ReplayTarget, RetainedReplay } from './retained-replay.js';
import { replayOf } from './subscription-handler.js';

/** Searches that may come to their end in one turn: to begin and end one takes some ten microseconds. */
const REPLAYS_PER_TURN = 16;
/** Steps that they may take together: a millisecond or two. */
const STEPS_PER_TURN = 2048;

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
      this.#session.oweRetained(replay.filter);
    }
  }

  /**
   * Subscriptions have been made, some in the place of others: what is left of the retained messages that those have
   * brought comes at the QoS that has been granted now, and with the identifier given now [MQTT-3.8.4-3] [MQTT-3.8.4-8].
   */
  onSubscribed(filters: readonly string[]): void {
    for (const filter of filters) {
      const replay = this.#replays.get(filter);
      const subscription = replay === undefined ? undefined : this.#find(filter);
      if (subscription !== undefined) replay?.follow(replayOf(this.#context, this.#session, subscription));
    }
  }

  /** Starts anew what an earlier connection of the session has cut off. */
  restart(): void {
    for (const filter of this.#session.owedRetained) {
      const subscription = this.#find(filter);
      if (subscription === undefined) this.#session.settleRetained(filter);
      else this.add([replayOf(this.#context, this.#session, subscription)]);
    }
  }

  /** The subscriptions are gone, and nothing more is sent for them [MQTT-3.10.4-2]. */
  end(filters: readonly string[]): void {
    for (const filter of filters) this.#end(filter);
  }

  #find(filter: string): Subscription<Subscriber> | undefined {
    return this.#context.topics.find(this.#session, knownFilter(filter));
  }

  #end(filter: string): void {
    this.#replays.delete(filter);
    this.#session.settleRetained(filter);
  }

  /** Sends the next slice. */
  advance(): void {
    let left = REPLAYS_PER_TURN;
    let steps = STEPS_PER_TURN;
    for (const [filter, replay] of this.#replays) {
      steps = replay.advance(this, steps);
      if (!replay.isDone) return;
      this.#end(filter);
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
