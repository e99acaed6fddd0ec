/** A StoredQueueLog that keeps its own account of which messages stand in which queue, by what passes through it. */
import type { Message } from '../../src/core/message.js';
import { decodeEntry } from '../../src/queues/entry-codec.js';
import type { AppendedMessage, QueueEntry } from '../../src/queues/queue-log.js';
import { StoredQueueLog } from '../../src/queues/stored-queue-log.js';
import type { RecordOutline } from '../../src/store/message-record.js';
import type { Ticket } from '../../src/store/ticket.js';

export class AccountedQueueLog extends StoredQueueLog {
  /** By number of the message and of the queue, its id. */
  readonly #ids = new Map<number, Map<number, string>>();

  idsOf(queue: number): Set<string> {
    const ids = new Set<string>();
    for (const byQueue of this.#ids.values()) {
      const id = byQueue.get(queue);
      if (id !== undefined) ids.add(id);
    }
    return ids;
  }

  idOf(sequence: number): string | null {
    return this.#ids.get(sequence)?.values().next().value ?? null;
  }

  override append(message: Message, entries: readonly QueueEntry[]): AppendedMessage {
    const appended = super.append(message, entries);
    for (const { queue, bytes } of entries) this.#note(appended.sequence, queue, bytes);
    return appended;
  }

  override settle(queue: number, sequence: number): Ticket {
    this.#remove(queue, sequence);
    return super.settle(queue, sequence);
  }

  override forget(queue: number, sequence: number): void {
    this.#remove(queue, sequence);
    super.forget(queue, sequence);
  }

  override referencesTo(record: Readonly<RecordOutline>): number {
    const entries = record.entries.filter(({ isSettled }) => !isSettled);
    for (const { queue, bytes } of entries) this.#note(record.sequence, queue, bytes);
    const references = super.referencesTo(record);
    if (references !== entries.length) throw new RangeError(`${record.sequence} was not restored`);
    return references;
  }

  #note(sequence: number, queue: number, entry: Buffer): void {
    const byQueue = this.#ids.get(sequence) ?? new Map<number, string>();
    this.#ids.set(sequence, byQueue.set(queue, decodeEntry(entry).id));
  }

  #remove(queue: number, sequence: number): void {
    const byQueue = this.#ids.get(sequence);
    if (byQueue?.delete(queue) !== true) throw new RangeError(`${queue} has no ${sequence}`);
    if (byQueue.size === 0) this.#ids.delete(sequence);
  }
}
