/**
 * A QueueLog in memory whose commits the test turns. What was not committed when it crashes is forgotten; what was is replayed to the
 * next registry. Content can be made cold: it has to be loaded by the test before it is found.
 */
import type { Message } from '../../src/core/message.js';
import { decodeEntry } from '../../src/queues/entry-codec.js';
import type {
  AppendedMessage,
  QueueEntry,
  QueueLog,
  QueueLogClient,
  QueueLogReader,
  QueueLogRecovery,
} from '../../src/queues/queue-log.js';
import type { Ticket } from '../../src/store/ticket.js';

interface StoredMessage {
  readonly message: Message;
  /** By queue; settled ones are removed. */
  readonly entries: Map<number, Buffer>;
  readonly states: Map<number, Buffer | null>;
}

/** What is on disk. */
interface Disk {
  readonly messages: Map<number, StoredMessage>;
  readonly definitions: Map<number, Buffer>;
  readonly chunks: Map<number, Map<number, Buffer>>;
  nextSequence: number;
}

type Change = (disk: Disk) => void;

export class CrashableQueueLog implements QueueLog {
  settledTicket: Ticket = 0;
  readonly history = null;
  client: QueueLogClient | null = null;
  readonly #disk: Disk;
  /** What is in memory, whether written or not. */
  readonly #live = new Map<number, { message: Message; entries: Map<number, Buffer> }>();
  #open: Change[] = [];
  #openTicket: Ticket = 1;
  #dirtyStates = new Map<string, readonly [queue: number, sequence: number]>();
  #dirtyChunks = new Map<string, readonly [queue: number, chunk: number]>();
  /** Closed and being written. */
  #closed: { readonly ticket: Ticket; readonly changes: readonly Change[] }[] = [];
  #cold = new Set<number>();
  readonly #lost = new Set<number>();
  #readers = new Set<QueueLogReader>();

  constructor(disk?: Disk) {
    this.#disk = disk ?? { messages: new Map(), definitions: new Map(), chunks: new Map(), nextSequence: 1 };
    for (const [sequence, { message, entries }] of this.#disk.messages) {
      this.#live.set(sequence, { message, entries: new Map(entries) });
    }
  }

  /** Messages that a queue still needs. */
  get messages(): number {
    return this.#live.size;
  }

  /** Ids of the messages that a queue needs. */
  idsOf(queue: number): Set<string> {
    const ids = new Set<string>();
    for (const { entries } of this.#live.values()) {
      const entry = entries.get(queue);
      if (entry !== undefined) ids.add(decodeEntry(entry).id);
    }
    return ids;
  }

  /** The id of a message that some queue needs. */
  idOf(sequence: number): string | null {
    const entry = this.#live.get(sequence)?.entries.values().next().value;
    return entry === undefined ? null : decodeEntry(entry).id;
  }

  append(message: Message, entries: readonly QueueEntry[]): AppendedMessage {
    const sequence = this.#disk.nextSequence++;
    const stored = new Map(entries.map(({ queue, bytes }) => [queue, bytes]));
    this.#live.set(sequence, { message, entries: stored });
    const copy = new Map(stored);
    return {
      sequence,
      ticket: this.#record((disk) => disk.messages.set(sequence, { message, entries: copy, states: new Map() })),
    };
  }

  find(sequence: number, reader: QueueLogReader): Message | null | undefined {
    const found = this.#live.get(sequence);
    if (found === undefined || this.#lost.has(sequence)) return null;
    if (!this.#cold.has(sequence)) return found.message;
    this.#readers.add(reader);
    return undefined;
  }

  findEntry(sequence: number, queue: number): Buffer | null | undefined {
    if (this.#cold.has(sequence)) return undefined;
    return this.#live.get(sequence)?.entries.get(queue) ?? null;
  }

  settle(queue: number, sequence: number): Ticket {
    this.forget(queue, sequence);
    return this.#record((disk) => removeEntry(disk.messages, queue, sequence));
  }

  stateChanged(queue: number, sequence: number): Ticket {
    this.#dirtyStates.set(`${queue}/${sequence}`, [queue, sequence]);
    return this.#openTicket;
  }

  forget(queue: number, sequence: number): void {
    const found = this.#live.get(sequence);
    if (found === undefined || !found.entries.delete(queue)) throw new RangeError(`${queue} has no ${sequence}`);
    if (found.entries.size === 0) this.#live.delete(sequence);
  }

  queueSaved(queue: number, definition: Buffer): Ticket {
    return this.#record((disk) => disk.definitions.set(queue, definition));
  }

  queueRemoved(queue: number): Ticket {
    return this.#record((disk) => {
      disk.definitions.delete(queue);
      disk.chunks.delete(queue);
    });
  }

  chunkChanged(queue: number, chunk: number): Ticket {
    this.#dirtyChunks.set(`${queue}/${chunk}`, [queue, chunk]);
    return this.#openTicket;
  }

  chunksRemoved(queue: number, below: number): void {
    this.#record((disk) => {
      const chunks = disk.chunks.get(queue);
      for (const chunk of chunks?.keys() ?? []) if (chunk < below) chunks?.delete(chunk);
    });
  }

  /** The open commit closes: states are asked for. It is being written from now on. */
  close(): void {
    for (const [queue, sequence] of this.#dirtyStates.values()) {
      const state = this.client?.encodeState(queue, sequence) ?? null;
      this.#open.push((disk) => disk.messages.get(sequence)?.states.set(queue, state));
    }
    for (const [queue, chunk] of this.#dirtyChunks.values()) {
      const bytes = this.client?.encodeChunk(queue, chunk) ?? null;
      if (bytes === null) continue;
      this.#open.push((disk) => {
        const chunks = disk.chunks.get(queue) ?? new Map<number, Buffer>();
        disk.chunks.set(queue, chunks.set(chunk, bytes));
      });
    }
    this.#closed.push({ ticket: this.#openTicket++, changes: this.#open });
    this.#open = [];
    this.#dirtyStates = new Map();
    this.#dirtyChunks = new Map();
  }

  /** Everything that was closed is on disk. */
  settleClosed(): void {
    for (const { ticket, changes } of this.#closed) {
      for (const change of changes) change(this.#disk);
      this.settledTicket = ticket;
    }
    this.#closed = [];
    this.client?.onSettled();
  }

  commit(): void {
    this.close();
    this.settleClosed();
  }

  /** The content of all messages has to be read from now on. */
  cool(): void {
    for (const sequence of this.#live.keys()) this.#cold.add(sequence);
  }

  /** What somebody asked for has been read. */
  load(): void {
    this.#cold = new Set();
    const readers = this.#readers;
    this.#readers = new Set();
    for (const reader of readers) reader.onLoaded();
  }

  /** A message cannot be read any more. */
  lose(sequence: number): void {
    this.#lost.add(sequence);
    this.#cold.delete(sequence);
  }

  /** What is left after a crash. @param isWritten the commits that were being written had reached the disk */
  crash(isWritten: boolean): CrashableQueueLog {
    if (isWritten) for (const { changes } of this.#closed) for (const change of changes) change(this.#disk);
    return new CrashableQueueLog(this.#disk);
  }

  recover(recovery: QueueLogRecovery): void {
    const { definitions, chunks, messages } = this.#disk;
    for (const [queue, definition] of [...definitions].sort(([one], [other]) => one - other)) {
      recovery.restoreQueue(queue, definition);
    }
    for (const [queue, ofQueue] of chunks) {
      for (const [chunk, bytes] of [...ofQueue].sort(([one], [other]) => one - other)) {
        recovery.restoreChunk(queue, chunk, bytes);
      }
    }
    for (const [sequence, { message, entries, states }] of [...messages].sort(([one], [other]) => one - other)) {
      for (const [queue, entry] of entries) {
        if (recovery.restoreMessage(queue, sequence, entry, states.get(queue) ?? null, message.byteLength)) continue;
        this.forget(queue, sequence);
        removeEntry(messages, queue, sequence);
      }
    }
  }

  #record(change: Change): Ticket {
    this.#open.push(change);
    return this.#openTicket;
  }
}

function removeEntry(messages: Map<number, StoredMessage>, queue: number, sequence: number): void {
  const entries = messages.get(sequence)?.entries;
  entries?.delete(queue);
  if (entries?.size === 0) messages.delete(sequence);
}
