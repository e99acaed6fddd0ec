/**
 * The backlog of a kept session: positions in the streams of its filters, read as one in the order of the message log.
 * What is counted when a message is offered is read again when it is taken, with the subscriptions as they are then.
 *
 *   log         … 1007 1008 1009 1010 1011 …
 *   streams           a/+ ───┘         │          position 1008: everything up to it is done with or in the window
 *                     a/# ───┴─────────┘
 *
 * What came to the session alone, as a member of a shared group, stands in a stream of its own with a position of its
 * own: it is a message apart even where an ordinary subscription brings the same one.
 */
import type { Message, Qos } from '../core/message.js';
import type { MessageStream, StreamReader } from '../core/message-stream.js';
import type { Publication } from '../core/publication.js';
import type { Subscriber } from '../core/subscriber.js';
import type { LogReader, MessageLog } from '../store/message-log.js';
import { matchesTopic } from '../topics/filter-match.js';
import type { Subscription } from '../topics/subscription.js';
import { type Backlog, emptyTakenMessage, type TakeOutcome } from './backlog.js';
import type { MessageRecorder } from './message-recorder.js';
import { type MergeSource, StreamMerge } from './stream-merge.js';

export interface BacklogLimits {
  readonly maximumMessages: number;
  readonly maximumBytes: number;
}

/** What of the session the backlog reads. */
export interface BacklogOwner {
  readonly clientId: string;
  readonly subscriptions: ReadonlyMap<string, Subscription<Subscriber>>;
  /** Stream of what came to it alone. */
  readonly ownStream: MessageStream | null;
  /** The client that takes the messages knows of Retain As Published, which the one that subscribed may have asked for. */
  readonly knowsRetainAsPublished: boolean;
  /** A message can be taken that could not before. */
  onBacklogLoaded(): void;
  /** It stands elsewhere without having taken anything: that is to be stored. */
  onPlaceChanged(): void;
  /** A message that was counted as waiting is none that the session was to get. */
  onMiscounted(): void;
}

/** Where the session stands, as it is stored. */
export interface BacklogPosition {
  readonly position: number;
  readonly ownPosition: number;
  /** Pairs: the first number that a full queue refused, and the first that it took again. */
  readonly holes: readonly number[];
}

interface Source extends MergeSource {
  /** null for the session's own stream. */
  readonly subscription: Subscription<Subscriber> | null;
}

/** A full queue takes messages again when it has become this much emptier: or else it would be nothing but holes. */
const REOPENED_AT = 7 / 8;

/** No round of the recorder. */
const NEVER = -1;

export class StreamBacklog implements Backlog, StreamReader, LogReader {
  #length = 0;
  #bytes = 0;
  /** The first number that was refused, while the queue is full under `drop-newest`; 0 while it takes. */
  #closedFrom = 0;
  /** Rounds of the recorder: the last in which a message was taken, and in which one was taken as the session's own. */
  #takenIn = NEVER;
  #ownTakenIn = NEVER;
  /** The last hole may be that of a number which no message got. */
  #hasSkipped = false;
  readonly #limits: BacklogLimits;
  readonly #recorder: MessageRecorder;
  readonly taken = emptyTakenMessage();
  readonly #owner: BacklogOwner;
  readonly #log: MessageLog;
  /** Rounds in which a message was sent without waiting. */
  #sentIn = NEVER;
  #ownSentIn = NEVER;
  #sentAtQos0In = NEVER;
  #isBehind = false;
  #position = 0;
  #ownPosition = 0;
  #holes: number[] = [];
  /** Messages that were passed over since all were counted: they may have been counted or not. */
  #unwanted = 0;
  #merge: StreamMerge<Source> | null = null;
  /** Up to this number messages were counted without being read. */
  #recountedThrough = 0;
  /** The merge stands at a message of which this is still to be taken. */
  #isOrdinaryDue = false;
  #isOwnDue = false;
  readonly #release = (sequence: number): void => this.#log.release(sequence);

  constructor(owner: BacklogOwner, log: MessageLog, recorder: MessageRecorder, limits: BacklogLimits) {
    this.#owner = owner;
    this.#log = log;
    this.#recorder = recorder;
    this.#limits = limits;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maximumBytes(): number {
    return this.#limits.maximumBytes;
  }

  /** Messages go into the streams for this session: it has not read everything, or is away. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Where to read on after a restart. While it keeps up, that is the end of the log. */
  get place(): BacklogPosition {
    if (!this.#isBehind) {
      const last = this.#log.nextSequence - 1;
      return { position: last, ownPosition: last, holes: [] };
    }
    if (this.#hasSkipped) this.#dropUnusedHoles();
    const holes = this.#closedFrom === 0 ? this.#holes : [...this.#holes, this.#closedFrom, this.#log.nextSequence];
    return { position: this.#position, ownPosition: this.#ownPosition, holes };
  }

  positionIn(stream: MessageStream): number {
    return stream === this.#owner.ownStream ? this.#ownPosition : this.#position;
  }

  /** From now on messages wait: from the one that comes next on, or that is being routed and has not been sent. */
  fallBehind(): void {
    const { sequence, round } = this.#recorder;
    this.#standAt({
      position: this.#sentIn === round ? sequence : sequence - 1,
      ownPosition: this.#ownSentIn === round ? sequence : sequence - 1,
      holes: [],
    });
  }

  /** The message that is being routed is sent at once: it must not be read again if the session falls behind with it. */
  onSentAtOnce(qos: Qos, isOwn: boolean): void {
    const { round } = this.#recorder;
    if (qos === 0) this.#sentAtQos0In = round;
    else if (isOwn) this.#ownSentIn = round;
    else this.#sentIn = round;
  }

  /** The message that is being routed waits already as the session's own: what another group gives it is one with it. */
  get holdsOwn(): boolean {
    return this.#ownTakenIn === this.#recorder.round;
  }

  /** Takes a stored place over; {@link recount} follows when the streams have been filled. */
  restore(place: BacklogPosition): void {
    this.#standAt(place);
  }

  /** Of what is counted still when nothing is left to be taken: messages that no subscription brings any more. */
  get unwanted(): number {
    return Math.min(this.#length, this.#unwanted);
  }

  /** Everything has been taken: from now on messages are sent directly. */
  catchUp(): void {
    this.#isBehind = false;
    this.#unwanted = 0;
    this.#merge = null;
    this.#holes = [];
    this.#closedFrom = 0;
    this.#length = 0;
    this.#bytes = 0;
    for (const stream of this.#streams()) stream.removeReader(this, this.#release);
  }

  offer(publication: Publication, _qos: Qos, _retain: boolean, _identifiers: unknown, isOwn: boolean): boolean {
    const wasBehind = this.#isBehind;
    const { sequence, round } = this.#recorder;
    if (!wasBehind) {
      this.fallBehind();
      this.#ownPosition = sequence - 1;
    }
    if (!this.count(publication.message.byteLength)) return false;
    if (isOwn) this.#ownTakenIn = round;
    if (!wasBehind && this.#sentAtQos0In === round) this.#position = sequence;
    return true;
  }

  /** What {@link offer} does with an ordinary message of so many bytes once it is behind. */
  count(bytes: number): boolean {
    const { round } = this.#recorder;
    // Two copies of one message have one number: a hole would swallow both.
    if (this.#takenIn !== round && !this.#hasRoomFor(bytes)) return false;
    this.#takenIn = round;
    if (this.#hasSkipped) this.#dropUnusedHoles();
    this.#length++;
    this.#bytes += bytes;
    return true;
  }

  /** The offer has been refused for good: what comes from now on is refused until there is room again. */
  close(): void {
    if (this.#closedFrom !== 0) return;
    this.#closedFrom = this.#log.nextSequence;
    this.#owner.onPlaceChanged();
  }

  /** The offer has been refused, and what comes next may be taken again. */
  skip(): void {
    this.#holes.push(this.#log.nextSequence, this.#log.nextSequence + 1);
    this.#hasSkipped = true;
  }

  dropOldest(): boolean {
    if (!this.#isOrdinaryDue && !this.#isOwnDue && !this.#read()) return false;
    if (this.#isOrdinaryDue) this.#pass(false);
    else this.#pass(true);
    this.#owner.onPlaceChanged();
    return true;
  }

  take(): TakeOutcome {
    for (;;) {
      if (!this.#isOrdinaryDue && !this.#isOwnDue && !this.#read()) return 'empty';
      const merge = this.#merge as StreamMerge<Source>;
      const { sequence } = merge;
      const message = this.#log.find(sequence, this);
      if (message === undefined) return 'loading';
      const isOwn = !this.#isOrdinaryDue;
      const { taken } = this;
      taken.message = message;
      taken.sequence = sequence;
      const isWanted =
        message === null || (isOwn ? this.#fillOwn(message) : this.#fillOrdinary(message, merge.sources));
      const isMiscounted = !isWanted && sequence <= this.#recountedThrough;
      if (isWanted) this.#log.retain(sequence);
      else if (isMiscounted) this.#owner.onMiscounted();
      else this.#unwanted++;
      taken.isUncounted = this.#length === 0;
      this.#pass(isOwn, isWanted || isMiscounted);
      if (isWanted) return 'taken';
    }
  }

  clear(): number {
    const waiting = this.#length;
    this.catchUp();
    return waiting;
  }

  onLoaded(): void {
    this.#owner.onBacklogLoaded();
  }

  /** A subscription has been made: while behind, its messages wait too. */
  onSubscribed(stream: MessageStream): void {
    if (!this.#isBehind) return;
    stream.addReader(this);
    this.#restartMerge();
  }

  /** Subscriptions are not listed any more. @returns how many messages are given up that waited through them alone */
  onUnsubscribed(streams: readonly MessageStream[]): number {
    if (!this.#isBehind) return 0;
    const before = this.#length;
    const bytesBefore = this.#bytes;
    this.recount();
    for (const stream of streams) stream.removeReader(this, this.#release);
    // What a count finds that was never offered (messages of one's own under No Local) is no loss.
    if (this.#length > before) this.#recountedThrough = 0;
    this.#length = Math.min(this.#length, before);
    this.#bytes = Math.min(this.#bytes, bytesBefore);
    return before - this.#length;
  }

  /** Counts what waits from the streams: also messages of its own, which No Local will keep from it. */
  recount(): void {
    this.#restartMerge();
    this.#recountedThrough = this.#log.nextSequence - 1;
    this.#length = 0;
    this.#bytes = 0;
    const sources = [...this.#sources()];
    const only = sources[0];
    if (sources.length === 1 && only !== undefined && this.#holes.length === 0 && this.#closedFrom === 0) {
      const index = only.stream.indexAfter(only.after);
      this.#length = only.stream.length - index;
      this.#bytes = only.stream.bytesFrom(index);
      return;
    }
    const merge = new StreamMerge(sources, Number.POSITIVE_INFINITY);
    while (merge.advance()) {
      if (this.#isInHole(merge.sequence)) continue;
      const isOwn = merge.sources.some(({ subscription }) => subscription === null);
      const copies = merge.sources.length > 1 && isOwn ? 2 : 1;
      this.#length += copies;
      this.#bytes += copies * merge.bytes;
    }
  }

  #standAt({ position, ownPosition, holes }: BacklogPosition): void {
    this.#isBehind = true;
    this.#position = position;
    this.#ownPosition = ownPosition;
    this.#holes = [...holes];
    this.#restartMerge();
    for (const stream of this.#streams()) stream.addReader(this);
  }

  #hasRoomFor(bytes: number): boolean {
    if (this.#closedFrom !== 0 && !this.#reopens()) return false;
    const { maximumMessages, maximumBytes } = this.#limits;
    return this.#length < maximumMessages && this.#bytes + bytes <= maximumBytes;
  }

  #reopens(): boolean {
    const { maximumMessages, maximumBytes } = this.#limits;
    const hasRoom = this.#length <= maximumMessages * REOPENED_AT && this.#bytes <= maximumBytes * REOPENED_AT;
    if (!hasRoom) return false;
    this.#holes.push(this.#closedFrom, this.#log.nextSequence);
    this.#closedFrom = 0;
    return true;
  }

  /** What was refused and went to nobody else got no number: the next message has it. */
  #dropUnusedHoles(): void {
    this.#hasSkipped = false;
    const holes = this.#holes;
    while (holes.length > 0 && (holes[holes.length - 2] as number) >= this.#log.nextSequence) holes.length -= 2;
  }

  #isInHole(sequence: number): boolean {
    const holes = this.#holes;
    if (this.#closedFrom !== 0 && sequence >= this.#closedFrom) return true;
    for (let at = 0; at < holes.length; at += 2) {
      if (sequence >= (holes[at] as number) && sequence < (holes[at + 1] as number)) return true;
    }
    return false;
  }

  /** Goes on to the next message that waits. @returns false if there is none */
  #read(): boolean {
    for (;;) {
      if (!this.#isBehind) return false;
      const last = this.#log.nextSequence - 1;
      this.#merge ??= new StreamMerge(this.#sources(), last);
      if (!this.#merge.advance()) {
        const isUpToDate = this.#merge.last === last;
        this.#merge = null;
        if (isUpToDate) return false;
        continue;
      }
      const { sources, sequence } = this.#merge;
      const isOwn = sources.some(({ subscription }) => subscription === null);
      this.#isOwnDue = isOwn;
      this.#isOrdinaryDue = sources.length > 1 || !isOwn;
      if (!this.#isInHole(sequence)) return true;
      if (this.#isOrdinaryDue) this.#pass(false, false);
      if (this.#isOwnDue) this.#pass(true, false);
    }
  }

  /** The message at which the merge stands is done with. @param isCounted it was counted as waiting */
  #pass(isOwn: boolean, isCounted = true): void {
    const { sequence, bytes, sources } = this.#merge as StreamMerge<Source>;
    if (isCounted && this.#length > 0) {
      this.#length--;
      this.#bytes = this.#length === 0 ? 0 : Math.max(0, this.#bytes - bytes);
    }
    if (isOwn) this.#isOwnDue = false;
    else this.#isOrdinaryDue = false;
    // Everything before it has been read, in all streams.
    if (isOwn || !this.#isOwnDue) this.#ownPosition = sequence;
    if (!isOwn || !this.#isOrdinaryDue) this.#position = sequence;
    for (const { stream, subscription } of sources) {
      if ((subscription === null) === isOwn) stream.onRead(this.#release);
    }
    while (this.#holes.length > 0 && (this.#holes[1] as number) <= Math.min(this.#position, this.#ownPosition) + 1) {
      this.#holes.splice(0, 2);
    }
  }

  /** @returns false if no subscription brings the message: it is the session's own [MQTT-3.8.3-3] */
  #fillOrdinary(message: Message, sources: readonly Source[]): boolean {
    let granted = -1;
    let asPublished = false;
    let identifiers: number[] | null = null;
    for (const { subscription } of sources) {
      if (subscription === null) continue;
      if (subscription.noLocal && message.publisherId === this.#owner.clientId) continue;
      granted = Math.max(granted, subscription.qos);
      asPublished ||= subscription.retainAsPublished;
      if (subscription.identifier !== 0) identifiers = [...(identifiers ?? []), subscription.identifier];
    }
    if (granted === -1) return false;
    const { taken } = this;
    taken.qos = Math.min(message.qos, granted) as Qos;
    taken.retain = message.retain && asPublished && this.#owner.knowsRetainAsPublished;
    taken.identifiers = this.#withUnloggedIdentifiers(message, identifiers);
    return true;
  }

  /** [MQTT-3.3.4-4] Subscriptions at QoS 0 overlap too, but have no stream. */
  #withUnloggedIdentifiers(message: Message, identifiers: number[] | null): readonly number[] | null {
    let all = identifiers;
    const { subscriptions, clientId } = this.#owner;
    if (subscriptions.size === 1) return all;
    for (const { stream, identifier, filter, noLocal } of subscriptions.values()) {
      if (stream !== null || identifier === 0 || filter.shareName !== undefined) continue;
      if (noLocal && message.publisherId === clientId) continue; // [MQTT-3.8.3-3]
      if (matchesTopic(filter.path, message.topic)) all = [...(all ?? []), identifier];
    }
    return all;
  }

  /** Through the shared subscriptions that match: the group has chosen this session. */
  #fillOwn(message: Message): boolean {
    let granted = -1;
    let asPublished = false;
    let identifiers: number[] | null = null;
    for (const { filter, qos, retainAsPublished, identifier } of this.#owner.subscriptions.values()) {
      if (filter.shareName === undefined || !matchesTopic(filter.path, message.topic)) continue;
      granted = Math.max(granted, qos);
      asPublished ||= retainAsPublished;
      if (identifier !== 0) identifiers = [...(identifiers ?? []), identifier];
    }
    const { taken } = this;
    // After the subscription has ended, what the group had given to this session is still its own.
    taken.qos = Math.min(message.qos, granted === -1 ? message.qos : granted) as Qos;
    taken.retain = message.retain && asPublished && this.#owner.knowsRetainAsPublished;
    taken.identifiers = identifiers;
    return true;
  }

  #restartMerge(): void {
    this.#merge = null;
    this.#isOrdinaryDue = false;
    this.#isOwnDue = false;
  }

  *#sources(): IterableIterator<Source> {
    for (const subscription of this.#owner.subscriptions.values()) {
      const { stream, sinceSequence } = subscription;
      if (stream !== null) yield { stream, after: Math.max(this.#position, sinceSequence - 1), subscription };
    }
    const { ownStream } = this.#owner;
    if (ownStream !== null) yield { stream: ownStream, after: this.#ownPosition, subscription: null };
  }

  *#streams(): IterableIterator<MessageStream> {
    for (const { stream } of this.#owner.subscriptions.values()) if (stream !== null) yield stream;
    const { ownStream } = this.#owner;
    if (ownStream !== null) yield ownStream;
  }
}
