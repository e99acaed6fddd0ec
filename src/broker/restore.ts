/**
 * Brings back what the store holds, before the first client is let in: sessions with their subscriptions and states,
 * retained messages and wills first, then the message log, which says what waits for whom.
 */
import type { MessageStream } from '../core/message-stream.js';
import type { Session } from '../sessions/session.js';
import { decodeSessionState, type SessionState } from '../sessions/session-state.js';
import type { Will } from '../sessions/will.js';
import type { StoredSession, StoredSubscription } from '../store/catalogue-records.js';
import type { RecordOutline } from '../store/message-record.js';
import type { StoreReceiver } from '../store/store.js';
import { indexBytes } from '../topics/index-bytes.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import type { BrokerContext } from './broker-context.js';

export interface RestoreReport {
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retained: number;
  /** QoS 1 and 2 messages that wait, once for each session. */
  readonly messages: number;
  /** Records that could not be read; what they held is lost. */
  readonly damaged: number;
  /** Messages that could not be read, whoever they were for. */
  readonly lostMessages: number;
}

/** @param publishWill of a session that ended with the broker's last run */
export async function restore(
  context: BrokerContext,
  publishWill: (clientId: string, will: Will) => void,
): Promise<RestoreReport> {
  const restorer = new Restorer(context);
  const damaged = await context.store.load(restorer);
  return await restorer.finish(damaged, publishWill);
}

class Restorer implements StoreReceiver {
  readonly #context: BrokerContext;
  readonly #sessions: Session[] = [];
  readonly #states = new Map<number, Buffer>();
  readonly #orphanWills = new Map<string, Will>();
  readonly #slowest = new Map<MessageStream, number>();
  #damaged = 0;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  onSession(record: StoredSession): void {
    this.#sessions.push(this.#context.sessions.restore(record));
  }

  onState(sessionNumber: number, bytes: Buffer): void {
    this.#states.set(sessionNumber, bytes);
  }

  onSubscription(clientId: string, stored: StoredSubscription): void {
    const session = this.#context.sessions.find(clientId);
    const filter = parseTopicFilter(stored.filter, Number.POSITIVE_INFINITY);
    if (session === undefined || filter instanceof InvalidFilter) {
      this.#damaged++;
      // Or else it would come back with a later session of the client, which has not made it.
      this.#context.journal.subscriptionRemoved(clientId, stored.filter);
      return;
    }
    session.subscriptionBytes += 2 * stored.filter.length + indexBytes(stored.filter);
    if (isQueueTopic(stored.filter)) {
      session.queueSubscriptions ??= new Map();
      session.queueSubscriptions.set(stored.filter, stored);
      return;
    }
    const { qos, noLocal, retainAsPublished, retainHandling, identifier, streamId, sinceSequence } = stored;
    const stream = streamId === 0 ? null : this.#context.streams.rejoin(stored.filter, streamId);
    const subscription = {
      subscriber: session,
      filter,
      qos,
      noLocal,
      retainAsPublished,
      retainHandling,
      identifier,
      stream,
      sinceSequence,
    };
    session.subscriptions.set(stored.filter, subscription);
    this.#context.topics.subscribe(subscription);
  }

  onWill(clientId: string, will: Will): void {
    const session = this.#context.sessions.find(clientId);
    if (session === undefined) this.#orphanWills.set(clientId, will);
    else session.will = will;
  }

  onRetained(message: Parameters<StoreReceiver['onRetained']>[0]): void {
    this.#context.retained.restore(message);
  }

  onQueue(number: number, bytes: Buffer): void {
    this.#context.queues?.onQueue(number, bytes);
  }

  onQueueChunk(queue: number, chunk: number, bytes: Buffer): void {
    this.#context.queues?.onQueueChunk(queue, chunk, bytes);
  }

  async finish(damaged: number, publishWill: (clientId: string, will: Will) => void): Promise<RestoreReport> {
    const { store, sessions, accounts, drops, topics, retained, queues } = this.#context;
    retained.finishRestore();
    // All of them are looked at first: restoring one may ask for the number of the next message.
    const states = this.#sessions.map((session) => this.#stateOf(session));
    for (const state of states) if (state !== null) this.#noteSequences(state);
    this.#sessions.forEach((session, index) => {
      session.restoreState(states[index] ?? null, session.disconnectedAtMs === 0);
    });
    this.#states.clear();
    const held = this.#countHeld();
    const lostMessages = await store.log.recover((record) => {
      const references = this.#referencesTo(record, held.get(record.sequence) ?? 0);
      return references + (queues?.referencesTo(record) ?? 0);
    });
    queues?.onRestored();
    // Who would have got them nobody knows: they are counted once, and not in the accounts of the sessions.
    if (lostMessages > 0) drops.count('storage-damaged', lostMessages);
    for (const session of this.#sessions) accounts.restored += session.finishRestore();
    const messages = accounts.restored;
    // Everybody is complete now: wills find who waits for them.
    for (const session of this.#sessions) sessions.finishRestore(session);
    for (const [clientId, will] of this.#orphanWills) publishWill(clientId, will);
    return {
      sessions: this.#sessions.length,
      subscriptions: topics.subscriptionCount,
      retained: retained.size,
      messages,
      damaged: damaged + this.#damaged,
      lostMessages,
    };
  }

  #stateOf(session: Session): SessionState | null {
    const bytes = this.#states.get(session.number);
    if (bytes === undefined) return null;
    try {
      return decodeSessionState(bytes);
    } catch {
      this.#damaged++;
      return null;
    }
  }

  /** The next message's number must be above those that the session has dealt with, or it would never get it. */
  #noteSequences({ place, repeatsThrough, inflight }: SessionState): void {
    const { log } = this.#context.store;
    log.ensureAbove(Math.max(place.position, place.ownPosition, repeatsThrough, (place.holes.at(-1) ?? 0) - 1));
    for (const { sequence } of inflight) log.ensureAbove(sequence);
  }

  /** How many sessions have each message on its way. */
  #countHeld(): Map<number, number> {
    const held = new Map<number, number>();
    for (const session of this.#sessions) {
      for (const sequence of session.heldSequences()) held.set(sequence, (held.get(sequence) ?? 0) + 1);
    }
    return held;
  }

  /** Puts the message into the streams in which somebody still waits for it. @returns how many need it */
  #referencesTo({ sequence, byteLength, streams }: Readonly<RecordOutline>, held: number): number {
    let references = held;
    for (const id of streams) {
      const stream = this.#context.streams.find(id);
      // Nobody reads it; a new one of this number would get its messages.
      if (stream === undefined) this.#context.store.streamIds.ensureAbove?.(id);
      if (stream === undefined || !stream.hasReaders || this.#slowestOf(stream) >= sequence) continue;
      stream.push(sequence, byteLength);
      references++;
    }
    return references;
  }

  #slowestOf(stream: MessageStream): number {
    let slowest = this.#slowest.get(stream);
    if (slowest === undefined) {
      slowest = stream.slowestPosition();
      this.#slowest.set(stream, slowest);
    }
    return slowest;
  }
}
