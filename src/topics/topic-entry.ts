/**
 * A topic that is published to, with its cached match result. A connection may hold on to one (a topic alias, the last
 * topic of a publisher) for as long as it likes: an entry knows by itself whether its result is out of date, so it is
 * right even when the cache has long forgotten it. Made by the MatchCache only.
 */
import type { PublishSink, SinkRoutes } from '../core/publish-sink.js';
import { emptyMatch, type MatchResult } from './match-result.js';
import { type SubscriptionChanges, TopicScope } from './subscription-changes.js';

export class TopicEntry<S extends object> {
  readonly topic: string;
  /** Generation of the cache that holds it; owned by the cache. */
  generation = 0;
  readonly #scope: TopicScope;
  #bytes: Buffer | null = null;
  #result: MatchResult<S> | null = null;
  #seenTotal = -1;
  #seenVersion = 0;
  /** Undefined until it is asked for. */
  #routes: SinkRoutes | null | undefined = undefined;

  constructor(topic: string) {
    this.topic = topic;
    this.#scope = new TopicScope(topic);
  }

  /** The topic in UTF-8, without its length. Made when first asked for. */
  get bytes(): Buffer {
    this.#bytes ??= ownBytesOf(this.topic);
    return this.#bytes;
  }

  /** Array places that its result has for itself. */
  get unsharedSlots(): number {
    return (this.#result ?? emptyMatch<S>()).unsharedSlots;
  }

  /** What the sink, of which there is one, has for the topic. */
  routesOf(sink: PublishSink): SinkRoutes | null {
    if (this.#routes === undefined) this.#routes = sink.routesOf(this.topic);
    return this.#routes;
  }

  /** The result, or null if there is none or a change since could concern it. */
  currentResult(changes: SubscriptionChanges): MatchResult<S> | null {
    if (this.#seenTotal === changes.total) return this.#result;
    if (this.#seenVersion !== changes.versionOf(this.#scope)) return null;
    this.#seenTotal = changes.total;
    return this.#result;
  }

  /** Keeps a result that has been made after the last change. */
  keep(result: MatchResult<S>, changes: SubscriptionChanges): void {
    this.#result = result;
    this.#seenTotal = changes.total;
    this.#seenVersion = changes.versionOf(this.#scope);
  }

  /** Lets go of a result that is out of date, and of the ended sessions in it. */
  dropIfStale(changes: SubscriptionChanges): void {
    if (this.#result !== null && this.currentResult(changes) === null) this.#result = null;
  }
}

/** Not out of Buffer's pool: an entry that is cached for long would keep 8 KiB of what others took from it meanwhile. */
function ownBytesOf(topic: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(topic));
  bytes.write(topic);
  return bytes;
}
