/**
 * The packets of one client in one direction, kept as a session keeps its own: contents in the message log, their order
 * in a stream with a position, and those that have a packet identifier in a window. What is stored is a session's record
 * and a session's state, so that it is found again as sessions are.
 */

import type { Message } from '../../../src/core/message.js';
import { MessageStream } from '../../../src/core/message-stream.js';
import { PagedList } from '../../../src/core/paged-list.js';
import { Publication } from '../../../src/core/publication.js';
import type { Subscriber } from '../../../src/core/subscriber.js';
import { InflightWindow } from '../../../src/sessions/inflight-window.js';
import { MessageRecorder } from '../../../src/sessions/message-recorder.js';
import { NEVER_EXPIRES } from '../../../src/sessions/session.js';
import { encodeSessionState, type SessionState } from '../../../src/sessions/session-state.js';
import { StreamBacklog } from '../../../src/sessions/stream-backlog.js';
import type { StoredSession } from '../../../src/store/catalogue-records.js';
import type { StateSource } from '../../../src/store/journal.js';
import type { LevelStore } from '../../../src/store/level-store.js';
import type { MessageLog } from '../../../src/store/message-log.js';
import type { Subscription } from '../../../src/topics/subscription.js';
import { subscriptionOf } from '../../support/subscriptions.js';
import { nameOf, type PublishPacket, type PubrelPacket, toMessage, toPacket } from './contract-packet.js';

const LIMITS = { maximumMessages: 100_000, maximumBytes: 1 << 26, maximumTotalBytes: Number.POSITIVE_INFINITY };

export class PacketQueue implements StateSource {
  readonly isWorthStoring = true;
  readonly record: StoredSession;
  readonly stream: MessageStream;
  readonly #store: LevelStore;
  readonly #recorder: MessageRecorder;
  readonly #backlog: StreamBacklog;
  readonly #window = new InflightWindow();
  #order = 0;

  constructor(store: LevelStore, record: StoredSession) {
    this.#store = store;
    this.record = record;
    this.stream = new MessageStream(record.number);
    this.#recorder = new MessageRecorder(store.log, () => 'fsync');
    const subscriptions = new PagedList<Subscription<Subscriber>>();
    subscriptions.append(subscriptionOf(null as never, '#', { qos: 2, stream: this.stream }));
    this.#backlog = new StreamBacklog(
      {
        clientId: record.clientId,
        subscriptions,
        knowsRetainAsPublished: true,
        onBacklogLoaded: () => {},
        onMiscounted: () => {},
        onForbidden: () => {},
        mayReceive: () => true,
        onPlaceChanged: () => {},
      },
      store.log,
      this.#recorder,
      LIMITS,
    );
    this.#backlog.fallBehind();
  }

  static create(store: LevelStore, clientId: string): PacketQueue {
    const number = store.sessionNumbers.next();
    const record = { clientId, number, expirySeconds: NEVER_EXPIRES, disconnectedAtMs: 1 };
    store.sessionSaved(record);
    return new PacketQueue(store, record);
  }

  get number(): number {
    return this.record.number;
  }

  /** Takes over what was stored; the stream is filled afterwards, and {@link finishRestore} follows. */
  restore(state: SessionState): void {
    this.#backlog.restore(state.place);
    for (const entry of state.inflight) {
      this.#window.restore(entry);
      this.#order = Math.max(this.#order, entry.order + 1);
    }
  }

  finishRestore(): void {
    this.#backlog.recount();
  }

  /** Numbers in the log of what has an identifier. */
  *heldSequences(): IterableIterator<number> {
    for (const { sequence, isReleased } of this.#window.entries()) if (!isReleased) yield sequence;
  }

  enqueue(packet: PublishPacket): void {
    const message = toMessage(packet);
    const publication = new Publication();
    publication.beginKept(message);
    this.#recorder.begin(message);
    if (!this.#backlog.offer(publication, message.qos, message.retain, null, this.stream.alone)) {
      throw new RangeError('the queue is full');
    }
    this.#recorder.note(this.stream.alone, true);
    this.#recorder.finish(message);
    this.#changed();
  }

  /** Gives the packet its identifier. Those that wait get theirs in their order, as messages of a session do. */
  async assign(packet: PublishPacket): Promise<void> {
    const packetId = packet.messageId ?? 0;
    for (const { packetId: known, sequence } of [...this.#window.entries()]) {
      const message = await readMessage(this.#store.log, sequence);
      if (message?.publisherId !== nameOf(packet)) continue;
      this.#window.drop(known);
      this.#take(packetId, sequence, message);
      return;
    }
    if ((await this.#oldest())?.publisherId !== nameOf(packet) || this.#backlog.take() !== 'taken') {
      throw new RangeError('no such packet');
    }
    const { message, sequence } = this.#backlog.taken;
    this.#take(packetId, sequence, message as Message);
    this.stream.trim((trimmed) => this.#store.log.release(trimmed));
  }

  /** PUBREC has come: what is left of the packet is its identifier. */
  receive(packetId: number): void {
    this.#store.log.release(this.#window.receive(packetId));
    this.#changed();
  }

  has(packetId: number): boolean {
    return this.#window.has(packetId);
  }

  /** Forgets the packet with this identifier. @returns undefined if there is none */
  async remove(packetId: number): Promise<PublishPacket | PubrelPacket | undefined> {
    const packet = await this.find(packetId);
    if (packet === undefined) return undefined;
    const sequence = this.#window.drop(packetId);
    if (packet.cmd === 'publish') this.#store.log.release(sequence);
    this.#changed();
    return packet;
  }

  async find(packetId: number): Promise<PublishPacket | PubrelPacket | undefined> {
    if (!this.#window.has(packetId)) return undefined;
    if (this.#window.isReleased(packetId)) return { cmd: 'pubrel', messageId: packetId };
    return this.#packetAt(this.#window.sequenceOf(packetId), packetId);
  }

  /** Everything, in its order: first what has an identifier. */
  async *packets(): AsyncIterableIterator<PublishPacket | PubrelPacket> {
    const held = [...this.#window.entries()].sort((a, b) => a.order - b.order);
    const waiting = this.#waitingSequences();
    for (const { packetId, sequence, isReleased } of held) {
      if (isReleased) yield { cmd: 'pubrel', messageId: packetId };
      else yield await this.#packetAt(sequence, packetId);
    }
    for (const sequence of waiting) yield await this.#packetAt(sequence, undefined);
  }

  /** Forgets everything. */
  clear(): void {
    for (const sequence of this.heldSequences()) this.#store.log.release(sequence);
    this.#backlog.clear();
    this.#store.sessionRemoved(this.record, []);
  }

  encodeState(): Buffer {
    const inflight = this.#window.entries();
    return encodeSessionState({ place: this.#backlog.place, repeatsThrough: 0, receivedIds: [], inflight });
  }

  #changed(): void {
    this.#store.stateChanged(this, true);
  }

  #take(packetId: number, sequence: number, { qos, retain }: Message): void {
    const order = this.#order++;
    const entry = { packetId, sequence, qos, retain, order, isReleased: false, identifiers: null };
    this.#window.restore(entry);
    this.#changed();
  }

  #waitingSequences(): number[] {
    const { stream } = this;
    const first = stream.indexAfter(this.#backlog.positionIn(stream));
    return Array.from({ length: stream.length - first }, (_, at) => stream.sequenceAt(first + at));
  }

  async #oldest(): Promise<Message | null> {
    const [sequence] = this.#waitingSequences();
    return sequence === undefined ? null : await readMessage(this.#store.log, sequence);
  }

  async #packetAt(sequence: number, messageId: number | undefined): Promise<PublishPacket> {
    const message = await readMessage(this.#store.log, sequence);
    if (message === null) throw new RangeError(`message ${sequence} is not in the log`);
    return toPacket(message, messageId);
  }
}

/** @returns null if nobody needs the message, or it was lost */
async function readMessage(log: MessageLog, sequence: number): Promise<Message | null> {
  for (;;) {
    let onLoaded: () => void = () => {};
    const loaded = new Promise<void>((resolve) => {
      onLoaded = resolve;
    });
    const message = log.find(sequence, { onLoaded });
    if (message !== undefined) return message;
    await loaded;
  }
}
