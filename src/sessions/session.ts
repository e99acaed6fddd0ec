/**
 * What the broker remembers of one client id: it outlives the connection for as long as its expiry says (section 4.1).
 * Packet identifiers of the two directions are two spaces: the outgoing messages hand out ours, `#receivedIds`
 * remembers the client's. A kept session, one that may outlive its connection, is stored; its state as a whole, at the
 * end of each commit in which it has changed.
 */
import type { Message, Qos } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { Publication } from '../core/publication.js';
import { type DeliveryOptions, Readiness, type Subscriber } from '../core/subscriber.js';
import type { StoredOwner, StoredSession, StoredSubscription } from '../store/catalogue-records.js';
import type { Journal, StateSource } from '../store/journal.js';
import type { MessageQueue } from '../store/message-queue.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';
import type { Subscription } from '../topics/subscription.js';
import type { Backlog } from './backlog.js';
import { InflightWindow } from './inflight-window.js';
import { MemoryBacklog } from './memory-backlog.js';
import type { MessageStreams } from './message-streams.js';
import { NO_STREAMS, type OutgoingContext, OutgoingMessages, type OutgoingOwner } from './outgoing-messages.js';
import type { SessionFront } from './session-front.js';
import type { SessionGuard } from './session-guard.js';
import { encodeSessionState, type SessionState } from './session-state.js';
import { type BacklogLimits, type BacklogOwner, StreamBacklog } from './stream-backlog.js';
import { NO_SUBSCRIPTIONS, SubscriptionList, type Subscriptions } from './subscription-list.js';
import type { Will } from './will.js';

/** `SessionExpiryInterval` of a session that never ends (section 3.1.2.11.2). */
export const NEVER_EXPIRES = 0xffffffff;

/** Number of a session that is not stored. */
export const NOT_STORED = 0;

/** Changes that are worth storing for each message on its way: so that each costs a bounded share of a state. */
const CHANGES_PER_INFLIGHT = 2;

/** What all sessions share. */
export interface SessionContext extends OutgoingContext {
  readonly journal: Journal;
  readonly streams: MessageStreams;
  readonly backlogLimits: BacklogLimits;
  /** The queue of a session that ends with its connection. */
  readonly openQueue: () => MessageQueue;
}

export class Session implements Subscriber, BacklogOwner, OutgoingOwner, StateSource {
  // First, and so in one line of the processor's cache: all that a message asks of a session that is away.
  /** It is kept, and no connection is attached. */
  #isAway: boolean;
  /** Asked for each message, unless it would say yes to all that the subscriptions could bring. */
  #gate: SessionGuard | null = null;
  readonly #backlog: StreamBacklog | null;
  readonly #context: SessionContext;
  readonly clientId: string;
  /** Under which its state is stored; {@link NOT_STORED} for a session that ends with its connection. */
  readonly number: number;
  /** Null for none, as for devices that only report. */
  #subscribed: SubscriptionList | null = null;
  /** Seconds that it outlives its connection; {@link NEVER_EXPIRES} for ever. */
  expirySeconds = 0;
  /** When its connection ended, ms; 0 while it is connected. */
  disconnectedAtMs = 0;
  will: Will | null = null;
  /** Whose it is; undefined if that has been forgotten. */
  owner: StoredOwner | undefined;
  #guard: SessionGuard | null = null;
  /** Ticket of the record that says that it is connected. Nothing is sent before: after a crash it would lack DUP. */
  connectedWith: Ticket = NO_TICKET;
  #subscriptionTicket: Ticket = NO_TICKET;
  readonly #outgoing: OutgoingMessages;
  #epoch = 0;
  #receivedIds: Set<number> | null = null;
  #receivedTicket: Ticket = NO_TICKET;
  #owedRetained: Set<string> | null = null;
  #repeatsThrough = 0;
  #changesToStore = 0;
  #hasEnded = false;

  constructor(clientId: string, context: SessionContext, number = NOT_STORED) {
    this.clientId = clientId;
    this.number = number;
    this.#context = context;
    const { log, recorder, backlogLimits } = context;
    this.#backlog = number === NOT_STORED ? null : new StreamBacklog(this, log, recorder, backlogLimits);
    this.#outgoing = new OutgoingMessages(context, this, this.#backlog);
    this.#backlog?.fallBehind();
    this.#isAway = this.isKept;
  }

  get isConnected(): boolean {
    return this.#outgoing.isAttached;
  }

  /** It may outlive its connection, so what it holds is stored. */
  get isKept(): boolean {
    return this.number !== NOT_STORED;
  }

  get queuedMessages(): number {
    return this.#outgoing.waitingMessages;
  }

  get queuedBytes(): number {
    return this.#outgoing.waitingBytes;
  }

  get inflightMessages(): number {
    return this.#outgoing.inflightMessages;
  }

  /** QoS 1 and 2 messages that the client has not got, as far as we know. */
  get undelivered(): number {
    return this.#outgoing.undelivered;
  }

  /** QoS 2 messages received from the client and not yet released by it. */
  get receivedIds(): number {
    return this.#receivedIds?.size ?? 0;
  }

  /** Whether the client is behind by more than publishers should be allowed to add to. */
  get isCongested(): boolean {
    return this.#outgoing.isCongested;
  }

  /** Nothing waits, and the connection and its window have room. */
  get canTakeMore(): boolean {
    return this.readiness === Readiness.Ready && this.queuedMessages === 0 && this.#backlog?.isBehind !== true;
  }

  get isAwaitingCommit(): boolean {
    return this.#outgoing.isAwaitingCommit;
  }

  get readiness(): Readiness {
    if (!this.isConnected) return this.isKept && !this.#hasEnded ? Readiness.Away : Readiness.Gone;
    return this.#outgoing.hasRoom ? Readiness.Ready : Readiness.Full;
  }

  // ---------------------------------------------------------------- connection

  /**
   * Binds a connection. Call {@link resume} once the client has got its CONNACK.
   * @param receiveMaximum unacknowledged messages that it may be sent
   * @returns the epoch to detach with: a later attach makes it stale
   */
  attach(front: SessionFront, receiveMaximum: number): number {
    this.#outgoing.attach(front, receiveMaximum, this.connectedWith);
    this.#isAway = false;
    return ++this.#epoch;
  }

  /** Sends what was not acknowledged on the last connection, then what has waited. */
  resume(): void {
    if (this.isConnected) this.#outgoing.resume();
  }

  /** Unbinds the connection. @returns false for a stale epoch: another connection has the session now */
  detach(epoch: number): boolean {
    if (epoch !== this.#epoch || !this.isConnected) return false;
    this.#outgoing.detach();
    this.#isAway = this.isKept;
    if (this.isKept) this.#context.journal.stateChanged(this, true);
    return true;
  }

  // ---------------------------------------------------------------- what it may have

  /** @param guard null for a user who may have everything */
  guardWith(guard: SessionGuard | null): void {
    this.#guard = guard;
    this.#gate = guard;
  }

  get guard(): SessionGuard | null {
    return this.#guard;
  }

  /** Whether the guard has to be asked for each message: not if its answer is known for all subscriptions. */
  askGuard(isNeeded: boolean): void {
    this.#gate = isNeeded ? this.#guard : null;
  }

  mayReceive(topic: string): boolean {
    return this.#gate === null || this.#gate.mayReceive(topic);
  }

  mayBeSent(topic: string): boolean {
    return this.#guard === null || this.#guard.mayReceive(topic);
  }

  // ---------------------------------------------------------------- to the client

  takes(message: Message, options: DeliveryOptions): boolean {
    if (this.#gate !== null && !this.#gate.mayReceive(message.topic)) return false;
    return this.#outgoing.takes(message, Math.min(message.qos, options.qos) as Qos, options.identifiers);
  }

  deliver(options: DeliveryOptions, publication: Publication): void {
    const { message } = publication;
    if (this.#gate !== null && !this.#gate.mayReceive(message.topic)) return;
    const qos = Math.min(message.qos, options.qos) as Qos;
    // Thousands of sessions that are away cost some nanoseconds each: the message stands in their stream.
    if (this.#isAway && qos > 0 && options.streams !== null && this.#countAway(options.streams)) {
      publication.receivers++;
      return;
    }
    const retain = message.retain && this.#keepsRetain(options);
    if (qos === 0 && !this.#waitsInStream(options, message)) this.#deliverAtMostOnce(options, publication, retain);
    else if (this.isConnected || this.readiness === Readiness.Away) {
      this.#deliverAcknowledged(options, publication, qos, retain);
    }
  }

  /**
   * [MQTT-3.3.1-12] [MQTT-3.3.1-13], and [MQTT-3.3.1-9] of 3.1.1: whoever made the subscription, MQTT 3 gets RETAIN 0 on
   * what is not brought by its SUBSCRIBE.
   */
  #keepsRetain({ retainAsPublished, streams }: DeliveryOptions): boolean {
    return retainAsPublished && (streams === NO_STREAMS || this.knowsRetainAsPublished);
  }

  /**
   * A subscription that was lowered to QoS 0 has its stream still. While the session is behind, the message comes to it
   * through the stream, behind those before it, and would come twice if it was sent now.
   */
  #waitsInStream({ streams }: DeliveryOptions, message: Message): boolean {
    return message.qos > 0 && streams !== null && streams.length > 0 && this.#backlog?.isBehind === true;
  }

  #countAway(streams: readonly MessageStream[]): boolean {
    const { recorder, accounts } = this.#context;
    if (this.#backlog?.count(recorder.bytes) !== true) return false;
    accounts.accepted++;
    recorder.note(streams, true);
    return true;
  }

  #deliverAtMostOnce({ identifiers, streams }: DeliveryOptions, publication: Publication, retain: boolean): void {
    if (streams !== null && publication.message.qos > 0) this.#backlog?.onSentAtOnce(0, streams);
    this.#outgoing.deliverAtMostOnce(identifiers, publication, retain);
  }

  #deliverAcknowledged(options: DeliveryOptions, publication: Publication, qos: Qos, retain: boolean): void {
    publication.receivers++;
    const { streams } = options;
    const isWaiting = this.#outgoing.deliver(options, publication, qos, retain);
    if (!this.isKept || streams === null) return;
    this.#context.recorder.note(streams, isWaiting);
    // In no stream: after a crash only what is noted as on its way would be sent.
    if (streams === NO_STREAMS) this.onOutgoingChanged(true);
  }

  pump(): void {
    this.#outgoing.pump();
  }

  /**
   * Messages of work queues that the client can be sent now: they are not the session's, and never sent again. Of the client's Receive
   * Maximum a part stays free for what it has subscribed to.
   */
  get leaseRoom(): number {
    const reserved = this.subscriptions.size === 0 ? 0 : this.#outgoing.windowLimit >> 2;
    return this.#outgoing.windowRoom - reserved;
  }

  /** A packet identifier for such a message, if there is room for it. */
  openLease(): number {
    return this.#outgoing.openLease();
  }

  endLease(packetId: number): void {
    this.#outgoing.endLease(packetId);
  }

  /** The journal has settled more. */
  onSettled(): void {
    this.#outgoing.onSettled();
  }

  isInflight(packetId: number): boolean {
    return this.#outgoing.isInflight(packetId);
  }

  /** PUBACK from the client. @returns false if it acknowledges nothing */
  onPuback(packetId: number, isRefusal: boolean): boolean {
    return this.#outgoing.onPuback(packetId, isRefusal);
  }

  /** PUBREC with success. @returns what PUBREL waits for, or -1 if the identifier is unknown: PUBREL then says so */
  onPubrec(packetId: number): Ticket | -1 {
    return this.#outgoing.onPubrec(packetId);
  }

  /** PUBREC with a failure [MQTT-4.4.0-2]. */
  onPubrecRefusal(packetId: number): boolean {
    return this.#outgoing.onPubrecRefusal(packetId);
  }

  onPubcomp(packetId: number): boolean {
    return this.#outgoing.onPubcomp(packetId);
  }

  // ---------------------------------------------------------------- from the client

  /** Whether a QoS 2 message with this identifier has been received and not been released [MQTT-4.3.3-10]. */
  hasReceived(packetId: number): boolean {
    return this.#receivedIds?.has(packetId) ?? false;
  }

  /** Remembers a QoS 2 message of the client until it is released. */
  noteReceived(packetId: number): Ticket {
    this.#receivedIds ??= new Set();
    this.#receivedIds.add(packetId);
    return this.#storeReceived();
  }

  /** PUBREL. @returns the ticket to wait for, or -1 if the identifier is not known */
  release(packetId: number): Ticket | -1 {
    if (this.#receivedIds === null || !this.#receivedIds.delete(packetId)) return -1;
    return this.#storeReceived();
  }

  /**
   * What an answer waits for that repeats an earlier one: the client may have come back before the first time was stored,
   * and would take the repeat for a promise.
   */
  get receivedTicket(): Ticket {
    return this.#receivedTicket;
  }

  #storeReceived(): Ticket {
    if (this.isKept) this.#receivedTicket = this.#context.journal.stateChanged(this, true);
    return this.#receivedTicket;
  }

  // ---------------------------------------------------------------- subscriptions

  /** Shared ones included. */
  get subscriptions(): Subscriptions {
    return this.#subscribed?.toTopics ?? NO_SUBSCRIPTIONS;
  }

  /** Work queues that it takes from while it is connected, by filter as given; null for none, as for most. */
  get queueSubscriptions(): ReadonlyMap<string, StoredSubscription> | null {
    return this.#subscribed?.toQueues ?? null;
  }

  /** Where both are listed and taken off. Made when it is asked for. */
  get subscriptionList(): SubscriptionList {
    this.#subscribed ??= new SubscriptionList();
    return this.#subscribed;
  }

  /** Filters of all its subscriptions. */
  filters(): Iterable<string> {
    return this.#subscribed?.filters() ?? [];
  }

  clearSubscriptions(): void {
    this.#subscribed = null;
  }

  /** Has a subscription stored that is listed, if the session is kept. @returns the ticket of that */
  saveSubscription(record: StoredSubscription): Ticket {
    if (this.isKept) this.#subscriptionTicket = this.#context.journal.subscriptionSaved(this.clientId, record);
    return this.#subscriptionTicket;
  }

  /** Has one forgotten that is not listed any more, if the session is kept. @returns the ticket of that */
  forgetSubscription(filter: string): Ticket {
    if (this.isKept) this.#subscriptionTicket = this.#context.journal.subscriptionRemoved(this.clientId, filter);
    return this.#subscriptionTicket;
  }

  /** Ticket of the last change of its subscriptions. */
  get subscriptionTicket(): Ticket {
    return this.#subscriptionTicket;
  }

  /** The stream for a subscription that is being made; it keeps the one that it replaces had, `earlier` [MQTT-3.8.4-4]. */
  joinStream(filter: string, qos: Qos, isShared: boolean, earlier: MessageStream | null): MessageStream | null {
    if (earlier !== null) return earlier;
    if (!this.isKept || qos === 0) return null;
    const { streams } = this.#context;
    return isShared ? streams.openExclusive() : streams.join(filter);
  }

  /** A new subscription is listed: what comes from now on may wait for it. */
  onSubscribed(stream: MessageStream | null): void {
    if (stream !== null) this.#backlog?.onSubscribed(stream);
  }

  /** Subscriptions are not listed any more. What waited through them alone is given up. */
  onUnsubscribed(removed: readonly Subscription<Subscriber>[]): void {
    const streams = removed.flatMap(({ stream }) => stream ?? []);
    if (streams.length === 0) return;
    const dropped = this.#backlog?.onUnsubscribed(streams) ?? 0;
    if (dropped > 0) this.#context.accounts.drop('unsubscribed', dropped);
    for (const { filter, stream } of removed) if (stream !== null) this.#context.streams.leave(filter, stream);
  }

  /** Filters of subscriptions whose retained messages have not all been sent. Not stored: a restart forgets them. */
  get owedRetained(): readonly string[] {
    return this.#owedRetained === null ? [] : [...this.#owedRetained];
  }

  /** The retained messages for `filter` are to be sent, on a later connection if this one ends before. */
  oweRetained(filter: string): void {
    if (!this.isKept) return;
    this.#owedRetained ??= new Set();
    this.#owedRetained.add(filter);
  }

  /** They have been sent, or are not wanted any more. */
  settleRetained(filter: string): void {
    if (this.#owedRetained?.delete(filter) === true && this.#owedRetained.size === 0) this.#owedRetained = null;
  }

  // ---------------------------------------------------------------- storage

  get record(): StoredSession {
    const { clientId, number, expirySeconds, disconnectedAtMs, owner } = this;
    return { clientId, number, expirySeconds, disconnectedAtMs, owner };
  }

  /**
   * Takes over what was stored, when its subscriptions are listed and before the message log is read.
   * @param wasConnected it was when the broker ended: it may have got messages that are not marked as sent
   */
  restoreState(state: SessionState | null, wasConnected: boolean): void {
    const last = this.#context.log.nextSequence - 1;
    this.#backlog?.restore(state?.place ?? { position: 0, done: [], holes: [] });
    this.#repeatsThrough = wasConnected ? last : (state?.repeatsThrough ?? 0);
    if (state === null) return;
    const ids = [...state.receivedIds];
    if (ids.length > 0) this.#receivedIds = new Set(ids);
    const window = new InflightWindow();
    for (const entry of state.inflight) window.restore(entry);
    if (window.count > 0) this.#outgoing.restoreWindow(window);
  }

  /** The message log has been read: counts what waits. @returns how much that is */
  finishRestore(): number {
    this.#backlog?.recount();
    this.#outgoing.forgetSettled();
    return this.undelivered;
  }

  /** Numbers in the message log of what is on its way. */
  *heldSequences(): IterableIterator<number> {
    for (const { sequence } of this.#outgoing.inflight()) if (sequence > 0) yield sequence;
  }

  get isWorthStoring(): boolean {
    return this.#changesToStore > this.inflightMessages * CHANGES_PER_INFLIGHT;
  }

  encodeState(): Buffer | null {
    if (this.#hasEnded || this.#backlog === null) return null;
    this.#changesToStore = 0;
    return encodeSessionState({
      place: this.#backlog.place,
      repeatsThrough: this.#repeatsThrough,
      receivedIds: this.#receivedIds ?? [],
      inflight: this.#outgoing.inflight(),
    });
  }

  // ---------------------------------------------------------------- for its parts

  onOutgoingChanged(isUrgent: boolean): Ticket {
    this.#changesToStore++;
    return this.#context.journal.stateChanged(this, isUrgent);
  }

  get repeatsThrough(): number {
    return this.#repeatsThrough;
  }

  onPlaceChanged(): void {
    this.onOutgoingChanged(false);
  }

  onBacklogLoaded(): void {
    this.#outgoing.onLoaded();
  }

  onMiscounted(): void {
    this.#context.accounts.restored--;
  }

  onForbidden(): void {
    this.#context.accounts.drop('not-authorized');
  }

  get knowsRetainAsPublished(): boolean {
    return this.#outgoing.knowsRetainAsPublished;
  }

  openBacklog(): Backlog {
    return new MemoryBacklog(this.#context.openQueue());
  }

  /** The session is over: what still waits in it goes nowhere, and is counted. Its subscriptions are listed still. */
  end(): void {
    this.#outgoing.end();
    this.#hasEnded = true;
    this.#isAway = false;
    this.#receivedIds = null;
    this.#owedRetained = null;
    this.#epoch++;
  }
}
