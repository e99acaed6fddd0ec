/**
 * The backlog of a kept session: positions in the streams of its subscriptions, read as one in the order of the message
 * log. What is counted when a message is offered is read again when it is taken, with the subscriptions as they are then.
 *
 *   log         … 1007 1008 1009 1010 1011 …
 *   streams           a/+ ───┘         │          position 1008: everything up to it is done with or in the window
 *                     a/# ───┴─────────┤
 *                     $share/g/# ──────┘
 *
 * Of one message there may be several copies: one for all ordinary subscriptions, and one for each shared subscription
 * whose group has chosen this session. So the position says also which copies of the message behind it are done with.
 */
import type { MessageStream, StreamReader } from '../core/message-stream.js';
import type { Publication } from '../core/publication.js';
import type { LogReader, MessageLog } from '../store/message-log.js';
import { type Backlog, type BacklogRefusal, emptyTakenMessage, type TakeOutcome } from './backlog.js';
import { BacklogHoles } from './backlog-holes.js';
import type { MessageRecorder } from './message-recorder.js';
import { StreamMerge } from './stream-merge.js';
import { type CopyOwner, fillOrdinary, fillShared, type SubscribedSource } from './waiting-copy.js';

export interface BacklogLimits {
  readonly maximumMessages: number;
  readonly maximumBytes: number;
  /** Of what waits for all sessions together, each message once; Infinity for no limit. */
  readonly maximumTotalBytes: number;
}

/** The session, to its backlog. */
export interface BacklogOwner extends CopyOwner {
  /** A message can be taken that could not before. */
  onBacklogLoaded(): void;
  /** It stands elsewhere without having taken anything: that is to be stored. */
  onPlaceChanged(): void;
  /** A message that was counted as waiting is none that the session was to get. */
  onMiscounted(): void;
  /** A message that was counted as waiting is one that the client may not have, as things are now. */
  onForbidden(): void;
}

/** Where the session stands, as it is stored. */
export interface BacklogPosition {
  readonly position: number;
  /** Copies of the message after `position` that are done with: ids of exclusive streams, or {@link ORDINARY_COPY}. */
  readonly done: readonly number[];
  /** Pairs: the first number that a full queue refused, and the first that it took again. */
  readonly holes: readonly number[];
}

/** Stands for the copy that all ordinary subscriptions make together: no stream has this id. */
export const ORDINARY_COPY = 0;

/** A full queue takes messages again when it, or all together, have become this much emptier: or else it would be nothing but holes. */
const REOPENED_AT = 7 / 8;

/** No round of the recorder. */
const NEVER = -1;

/** No exclusive source. */
const NONE = -1;

export class StreamBacklog implements Backlog, StreamReader, LogReader {
  #length = 0;
  #bytes = 0;
  /** Round of the recorder in which a message was taken last. */
  #takenIn = NEVER;
  #holes: BacklogHoles | null = null;
  #refusal: BacklogRefusal = 'queue-full';
  readonly #limits: BacklogLimits;
  readonly #recorder: MessageRecorder;
  readonly taken = emptyTakenMessage();
  readonly #owner: BacklogOwner;
  readonly #log: MessageLog;
  /** Rounds in which a message was sent without waiting, and the exclusive streams of the last one. */
  #sentIn = NEVER;
  #sentAtQos0In = NEVER;
  #sharedSentIn = NEVER;
  #sharedSent: number[] = [];
  #isBehind = false;
  #position = 0;
  /** See {@link BacklogPosition.done}. */
  #done: number[] = [];
  /** Messages that were passed over since all were counted: they may have been counted or not. */
  #unwanted = 0;
  /** The same of messages that the client may not have. */
  #forbidden = 0;
  #merge: StreamMerge<SubscribedSource> | null = null;
  /** Up to this number messages were counted without being read. */
  #recountedThrough = 0;
  /** Of the message at which the merge stands, what is still to be taken: the ordinary copy, then the exclusive ones. */
  #isOrdinaryDue = false;
  /** The next exclusive one among the merge's sources. */
  #exclusiveDue = NONE;
  readonly #release = (sequence: number): void => this.#log.leave(sequence);

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

  get refusal(): BacklogRefusal {
    return this.#refusal;
  }

  /** Messages go into the streams for this session: it has not read everything, or is away. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Where to read on after a restart. While it keeps up, that is the end of the log. */
  get place(): BacklogPosition {
    if (!this.#isBehind) return { position: this.#log.nextSequence - 1, done: [], holes: [] };
    const holes = this.#holes?.pairsUntil(this.#log.nextSequence) ?? [];
    return { position: this.#position, done: this.#done, holes };
  }

  positionIn(_stream: MessageStream): number {
    return this.#position;
  }

  /** From now on messages wait: from the one that comes next on, or that is being routed and has not been sent. */
  fallBehind(): void {
    const { sequence, round } = this.#recorder;
    const done = this.#sharedSentIn === round ? [...this.#sharedSent] : [];
    if (this.#sentIn === round) done.push(ORDINARY_COPY);
    this.#standAt({ position: sequence - 1, done, holes: [] });
  }

  /**
   * The message that is being routed is dealt with at once: it must not be read again if the session falls behind with it.
   * @param streams that bring it
   */
  onSentAtOnce(qos: number, streams: readonly MessageStream[]): void {
    const { round } = this.#recorder;
    if (streams[0]?.isExclusive === true) this.#noteSharedSent(round, streams[0].id);
    else if (qos === 0) this.#sentAtQos0In = round;
    else this.#sentIn = round;
  }

  /** Takes a stored place over; {@link recount} follows when the streams have been filled. */
  restore(place: BacklogPosition): void {
    this.#standAt(place);
  }

  /** Of what is counted still when nothing is left to be taken: messages that no subscription brings any more. */
  get unwanted(): number {
    return Math.min(this.#length - this.forbidden, this.#unwanted);
  }

  /** The same: messages that the client may not have, and may have been allowed when they came. */
  get forbidden(): number {
    return Math.min(this.#length, this.#forbidden);
  }

  /** Everything has been taken: from now on messages are sent directly. */
  catchUp(): void {
    this.#isBehind = false;
    this.#unwanted = 0;
    this.#forbidden = 0;
    this.#merge = null;
    this.#holes = null;
    this.#done = [];
    this.#length = 0;
    this.#bytes = 0;
    for (const stream of this.#streams()) stream.removeReader(this, this.#release);
  }

  offer(
    publication: Publication,
    _qos: number,
    _retain: boolean,
    _identifiers: unknown,
    streams: readonly MessageStream[],
  ): boolean {
    const wasBehind = this.#isBehind;
    if (!wasBehind) this.fallBehind();
    if (!this.count(publication.message.byteLength)) return false;
    const isOrdinarySent = !wasBehind && this.#sentAtQos0In === this.#recorder.round;
    // Others wait for it in the stream by which this session had it at QoS 0.
    if (isOrdinarySent && streams[0]?.isExclusive === true) this.#done.push(ORDINARY_COPY);
    return true;
  }

  /** What {@link offer} does with a message of so many bytes once it is behind. */
  count(bytes: number): boolean {
    const { round } = this.#recorder;
    // All copies of one message have one number: a hole would swallow the others too.
    if (this.#takenIn !== round && !this.#hasRoomFor(bytes)) return false;
    this.#takenIn = round;
    this.#holes?.dropUnused(this.#log.nextSequence);
    this.#length++;
    this.#bytes += bytes;
    return true;
  }

  /** The offer has been refused for good: what comes from now on is refused until there is room again. */
  close(): void {
    this.#holes ??= new BacklogHoles();
    if (this.#holes.isClosed) return;
    this.#holes.close(this.#log.nextSequence);
    this.#owner.onPlaceChanged();
  }

  /** The offer has been refused, and what comes next may be taken again. */
  skip(): void {
    this.#holes ??= new BacklogHoles();
    this.#holes.skip(this.#log.nextSequence);
  }

  dropOldest(): boolean {
    if (!this.#isDue && !this.#read()) return false;
    this.#pass();
    this.#owner.onPlaceChanged();
    return true;
  }

  take(): TakeOutcome {
    for (;;) {
      if (!this.#isDue && !this.#read()) return 'empty';
      const { sequence, sources } = this.#merge as StreamMerge<SubscribedSource>;
      const message = this.#log.find(sequence, this);
      if (message === undefined) return 'loading';
      const { taken } = this;
      taken.message = message;
      taken.sequence = sequence;
      if (message !== null && !this.#owner.mayReceive(message.topic)) {
        this.#passForbidden(sequence);
        continue;
      }
      let isWanted = true;
      if (message !== null && this.#isOrdinaryDue) isWanted = fillOrdinary(taken, message, sources, this.#owner);
      else if (message !== null) {
        const { subscription } = sources[this.#exclusiveDue] as SubscribedSource;
        fillShared(taken, message, subscription, this.#owner);
      }
      const isMiscounted = !isWanted && sequence <= this.#recountedThrough;
      if (isWanted) this.#log.retain(sequence);
      else if (isMiscounted) this.#owner.onMiscounted();
      else this.#unwanted++;
      taken.isUncounted = this.#length === 0;
      this.#pass(isWanted || isMiscounted);
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
    if (sources.length === 1 && only !== undefined && (this.#holes?.isEmpty ?? true)) {
      const index = only.stream.indexAfter(only.after);
      this.#length = only.stream.length - index;
      this.#bytes = only.stream.bytesFrom(index);
      return;
    }
    const merge = new StreamMerge(sources, Number.POSITIVE_INFINITY);
    while (merge.advance()) {
      if (this.#holes?.has(merge.sequence) === true) continue;
      const copies = copiesFrom(merge.sources);
      this.#length += copies;
      this.#bytes += copies * merge.bytes;
    }
  }

  #noteSharedSent(round: number, streamId: number): void {
    if (this.#sharedSentIn !== round) this.#sharedSent = [];
    this.#sharedSentIn = round;
    this.#sharedSent.push(streamId);
  }

  #standAt({ position, done, holes }: BacklogPosition): void {
    this.#isBehind = true;
    this.#position = position;
    this.#done = [...done];
    this.#holes = holes.length === 0 ? null : new BacklogHoles(holes);
    this.#restartMerge();
    for (const stream of this.#streams()) stream.addReader(this);
  }

  #hasRoomFor(bytes: number): boolean {
    if (this.#holes?.isClosed === true && !this.#reopens(this.#holes)) return false;
    const { maximumMessages, maximumBytes, maximumTotalBytes } = this.#limits;
    if (this.#log.waitingBytes + bytes > maximumTotalBytes) this.#refusal = 'session-queues-full';
    else if (this.#length < maximumMessages && this.#bytes + bytes <= maximumBytes) return true;
    else this.#refusal = 'queue-full';
    return false;
  }

  /** There is room again where there was none: of its own, or of all together. */
  #reopens(holes: BacklogHoles): boolean {
    const { maximumMessages, maximumBytes, maximumTotalBytes } = this.#limits;
    const hasRoom =
      this.#refusal === 'session-queues-full'
        ? this.#log.waitingBytes <= maximumTotalBytes * REOPENED_AT
        : this.#length <= maximumMessages * REOPENED_AT && this.#bytes <= maximumBytes * REOPENED_AT;
    if (hasRoom) holes.reopen(this.#log.nextSequence);
    return hasRoom;
  }

  /** The merge stands at a message of which something is still to be taken. */
  get #isDue(): boolean {
    return this.#isOrdinaryDue || this.#exclusiveDue !== NONE;
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
      this.#isOrdinaryDue = sources.some(({ stream }) => !stream.isExclusive);
      this.#exclusiveDue = findExclusive(sources, 0);
      if (this.#holes?.has(sequence) !== true) return true;
      while (this.#isDue) this.#pass(false);
    }
  }

  /** The copy that is due is done with. @param isCounted it was counted as waiting */
  #pass(isCounted = true): void {
    const { sequence, bytes, sources } = this.#merge as StreamMerge<SubscribedSource>;
    if (isCounted && this.#length > 0) {
      this.#length--;
      this.#bytes = this.#length === 0 ? 0 : Math.max(0, this.#bytes - bytes);
    }
    const passed = this.#isOrdinaryDue ? null : (sources[this.#exclusiveDue] as SubscribedSource).stream;
    if (passed === null) this.#isOrdinaryDue = false;
    else this.#exclusiveDue = findExclusive(sources, this.#exclusiveDue + 1);
    // Everything before it has been read, in all streams.
    if (this.#isDue) this.#noteDone(sequence, passed?.id ?? ORDINARY_COPY);
    else this.#standBehind(sequence);
    if (passed !== null) passed.onRead(this.#release);
    else for (const { stream } of sources) if (!stream.isExclusive) stream.onRead(this.#release);
  }

  /**
   * Who comes back may have fewer rights than when the message came; or had no right to it then either, and it stands in the
   * stream for others. After a restart all are counted.
   */
  #passForbidden(sequence: number): void {
    const isCounted = sequence <= this.#recountedThrough && this.#length > 0;
    if (isCounted) this.#owner.onForbidden();
    else this.#forbidden++;
    this.#pass(isCounted);
  }

  #noteDone(sequence: number, copy: number): void {
    if (this.#position !== sequence - 1) this.#standBehind(sequence - 1);
    this.#done.push(copy);
  }

  #standBehind(sequence: number): void {
    this.#position = sequence;
    if (this.#done.length > 0) this.#done = [];
    if (this.#holes === null) return;
    this.#holes.forgetThrough(sequence);
    if (this.#holes.isEmpty) this.#holes = null;
  }

  #restartMerge(): void {
    this.#merge = null;
    this.#isOrdinaryDue = false;
    this.#exclusiveDue = NONE;
  }

  *#sources(): IterableIterator<SubscribedSource> {
    for (const subscription of this.#owner.subscriptions) {
      const { stream, sinceSequence } = subscription;
      if (stream === null) continue;
      const isDone = this.#done.includes(stream.isExclusive ? stream.id : ORDINARY_COPY);
      yield { stream, after: Math.max(this.#position + (isDone ? 1 : 0), sinceSequence - 1), subscription };
    }
  }

  *#streams(): IterableIterator<MessageStream> {
    for (const { stream } of this.#owner.subscriptions) if (stream !== null) yield stream;
  }
}

function findExclusive(sources: readonly SubscribedSource[], from: number): number {
  for (let at = from; at < sources.length; at++) if (sources[at]?.stream.isExclusive === true) return at;
  return NONE;
}

/** How many copies of one message its sources make. */
function copiesFrom(sources: readonly SubscribedSource[]): number {
  let exclusive = 0;
  for (const { stream } of sources) if (stream.isExclusive) exclusive++;
  return exclusive < sources.length ? exclusive + 1 : exclusive;
}
