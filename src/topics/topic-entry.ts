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
  /** Generation of the cache that holds it or has held it last, 0 if none has; owned by the cache. */
  generation = 0;
  /** Somebody has asked who gets a message on it; owned by the cache. */
  wasMatched = false;
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

  /** Of the topic, 32 bits. */
  get hash(): number {
    return this.#scope.hash;
  }

  /** The topic in UTF-8, without its length. Made when first asked for. */
  get bytes(): Buffer {
    this.#bytes ??= ownBytesOf(this.topic);
    return this.#bytes;
  }

  /** Whether the topic is what stands in `bytes[start, end)`. */
  isIn(bytes: Buffer, start: number, end: number): boolean {
    // For most topics a publisher has many of, this is asked once, and the answer is no.
    if (this.#bytes === null && !mayEndAs(this.topic, bytes, start, end)) return false;
    const own = this.bytes;
    if (own.length !== end - start) return false;
    // Topics of one fleet differ at their ends.
    for (let i = own.length - 1, j = end - 1; i >= 0; i--, j--) if (own[i] !== bytes[j]) return false;
    return true;
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

/** False only if the text in UTF-8 is not `bytes[start, end)`; goes no further than to its last character beyond ASCII. */
function mayEndAs(text: string, bytes: Buffer, start: number, end: number): boolean {
  // Each code unit takes one byte at least.
  if (end - start < text.length) return false;
  for (let i = text.length - 1, j = end - 1; i >= 0; i--, j--) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return true;
    if (unit !== bytes[j]) return false;
  }
  return true;
}

/** Not out of Buffer's pool: an entry that is cached for long would keep 8 KiB of what others took from it meanwhile. */
function ownBytesOf(topic: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(topic));
  bytes.write(topic);
  return bytes;
}
