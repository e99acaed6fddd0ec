/**
 * The streams of what kept sessions have subscribed to at QoS 1 or 2: one for each filter, and one for each shared
 * subscription of each session. A stream lives as long as a subscription refers to it; its id is never used again.
 */
import { MessageStream } from '../core/message-stream.js';
import type { NumberSource } from '../store/message-log.js';

export class MessageStreams {
  readonly #byFilter = new Map<string, MessageStream>();
  readonly #byId = new Map<number, MessageStream>();
  readonly #ids: NumberSource;

  constructor(ids: NumberSource) {
    this.#ids = ids;
  }

  /** Recovery: the stream that a message's record names. */
  find(id: number): MessageStream | undefined {
    return this.#byId.get(id);
  }

  /** Joins the stream of `filter`, for one subscription. */
  join(filter: string): MessageStream {
    return this.#join(filter, this.#byFilter.get(filter) ?? this.#open(this.#ids.next()));
  }

  /** Recovery: joins the stream that had this id. */
  rejoin(filter: string, id: number): MessageStream {
    return this.#join(filter, this.#byFilter.get(filter) ?? this.#byId.get(id) ?? this.#open(id));
  }

  /** A subscription to `filter` has ended. Its session is no reader of the stream any more. */
  leave(filter: string, stream: MessageStream): void {
    if (--stream.subscriptions > 0) return;
    if (!stream.isExclusive) this.#byFilter.delete(filter);
    this.#byId.delete(stream.id);
  }

  /** Opens the stream of one session's shared subscription. @param id of the one that it had before a restart */
  openExclusive(id = this.#ids.next()): MessageStream {
    const stream = this.#open(id, true);
    stream.subscriptions++;
    return stream;
  }

  #open(id: number, isExclusive = false): MessageStream {
    const stream = new MessageStream(id, isExclusive);
    this.#byId.set(id, stream);
    return stream;
  }

  #join(filter: string, stream: MessageStream): MessageStream {
    this.#byFilter.set(filter, stream);
    stream.subscriptions++;
    return stream;
  }
}
