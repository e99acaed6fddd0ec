/**
 * Brings back what the store holds, before the first client is let in: sessions with their subscriptions and states,
 * retained messages and wills first, then the message log, which says what waits for whom.
 */
import type { MessageStream } from '../core/message-stream.js';
import type { Subscriber } from '../core/subscriber.js';
import type { Session } from '../sessions/session.js';
import { decodeSessionState, type SessionState } from '../sessions/session-state.js';
import type { Will } from '../sessions/will.js';
import type { StoredSession, StoredSubscription } from '../store/catalogue-records.js';
import type { RecordOutline } from '../store/message-record.js';
import type { StoreReceiver } from '../store/store.js';
import { isQueueTopic } from '../topics/queue-topic.js';
import { makeSubscription } from '../topics/subscription.js';
import { InvalidFilter, parseTopicFilter, type TopicFilter } from '../topics/topic-filter.js';
import type { BrokerContext } from './broker-context.js';
import { BAN_NOTES } from './defence/ban-list.js';
import { SessionAccess } from './session-access.js';

export interface RestoreReport {
  readonly sessions: number;
  readonly subscriptions: number;
  /** Retained messages that were stored. */
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

/** A shared subscription that format 2 has stored: without a stream. */
interface EarlierShared {
  readonly session: Session;
  readonly filter: TopicFilter;
  readonly stored: StoredSubscription;
}

class Restorer implements StoreReceiver {
  readonly #context: BrokerContext;
  readonly #sessions: Session[] = [];
  readonly #states = new Map<number, Buffer>();
  readonly #earlierShared: EarlierShared[] = [];
  /** Streams that all shared subscriptions of a session had together. */
  readonly #earlierStreamIds = new Map<Session, number>();
  readonly #orphanWills = new Map<string, Will>();
  readonly #slowest = new Map<MessageStream, number>();
  #damaged = 0;
  #retained = 0;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  onSession(record: StoredSession): void {
    const session = this.#context.sessions.restore(record);
    this.#sessions.push(session);
    if (session.owner !== undefined) SessionAccess.guard(this.#context, session, session.owner);
    if (record.ownStreamId !== undefined) this.#earlierStreamIds.set(session, record.ownStreamId);
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
    if (isQueueTopic(stored.filter)) {
      session.subscriptionList.addQueue(stored);
      return;
    }
    const isShared = filter.shareName !== undefined;
    const { streams } = this.#context;
    if (stored.streamId !== 0) {
      const stream = isShared ? streams.openExclusive(stored.streamId) : streams.rejoin(stored.filter, stored.streamId);
      this.#list(session, filter, stored, stream);
    } else if (isShared) this.#earlierShared.push({ session, filter, stored });
    else this.#list(session, filter, stored, null);
  }

  #list(session: Session, filter: TopicFilter, stored: StoredSubscription, stream: MessageStream | null): void {
    const { qos, noLocal, retainAsPublished, identifier, sinceSequence } = stored;
    const options = { subscriber: session, filter, qos, noLocal, retainAsPublished, identifier, stream, sinceSequence };
    const subscription = makeSubscription<Subscriber>(options);
    session.subscriptionList.add(subscription, this.#context.topics.subscribe(subscription));
  }

  onWill(clientId: string, will: Will): void {
    const session = this.#context.sessions.find(clientId);
    if (session === undefined) this.#orphanWills.set(clientId, will);
    else session.will = will;
  }

  onRetained(message: Parameters<StoreReceiver['onRetained']>[0]): void {
    this.#retained++;
    this.#context.retained.restore(message);
  }

  onQueue(number: number, bytes: Buffer): void {
    this.#context.queues?.onQueue(number, bytes);
  }

  onQueueChunk(queue: number, chunk: number, bytes: Buffer): void {
    this.#context.queues?.onQueueChunk(queue, chunk, bytes);
  }

  onNote(name: string, bytes: Buffer): void {
    // Other notes are of other parts, or of a newer version.
    if (name.startsWith(BAN_NOTES) && !this.#context.guard.bans.restore(name, bytes)) this.#damaged++;
  }

  async finish(damaged: number, publishWill: (clientId: string, will: Will) => void): Promise<RestoreReport> {
    const { store, sessions, accounts, drops, topics, retained, queues } = this.#context;
    retained.finishRestore();
    for (const earlier of this.#earlierShared) this.#listEarlier(earlier);
    // All of them are looked at first: restoring one may ask for the number of the next message.
    const states = this.#sessions.map((session) => this.#stateOf(session));
    for (const state of states) if (state !== null) this.#noteSequences(state);
    this.#sessions.forEach((session, index) => {
      session.restoreState(states[index] ?? null, session.disconnectedAtMs === 0);
    });
    this.#states.clear();
    const held = this.#countHeld();
    const lostMessages = await store.log.recover(
      (record) => (held.get(record.sequence) ?? 0) + (queues?.referencesTo(record) ?? 0),
      (record) => this.#pushToStreams(record),
    );
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
      retained: this.#retained,
      messages,
      damaged: damaged + this.#damaged,
      lostMessages,
    };
  }

  /**
   * The first one of each session goes on with the stream that all had together: by which of them a message has come was
   * not stored.
   */
  #listEarlier({ session, filter, stored }: EarlierShared): void {
    const { journal, streams } = this.#context;
    const streamId = this.#earlierStreamIds.get(session);
    if (streamId === undefined && stored.qos === 0) {
      this.#list(session, filter, stored, null);
      return;
    }
    this.#earlierStreamIds.delete(session);
    const stream = streams.openExclusive(streamId);
    const sinceSequence = streamId === undefined ? stored.sinceSequence : 0;
    const adopted = { ...stored, streamId: stream.id, sinceSequence };
    this.#list(session, filter, adopted, stream);
    journal.subscriptionSaved(session.clientId, adopted);
    journal.sessionSaved(session.record);
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
    log.ensureAbove(
      Math.max(place.position + (place.done.length > 0 ? 1 : 0), repeatsThrough, (place.holes.at(-1) ?? 0) - 1),
    );
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

  /** Puts the message into the streams in which somebody still waits for it. @returns how many those are */
  #pushToStreams({ sequence, byteLength, streams }: Readonly<RecordOutline>): number {
    let references = 0;
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
