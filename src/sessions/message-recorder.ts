/**
 * Puts the publication that is being routed into the message log, once, if any kept session takes it: sessions note
 * what they take while it is routed, and when it has been to everybody the router has it recorded. One publication at
 * a time, as in the router.
 */
import type { DurabilityLevel } from '../core/durability.js';
import type { Message } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { MessageLog } from '../store/message-log.js';
import { NO_ENTRIES, type QueueEntry } from '../store/queue-entry.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';

export class MessageRecorder {
  readonly #log: MessageLog;
  readonly #durabilityOf: (topic: string) => DurabilityLevel;
  /** Streams in which the publication stands. The array is used again and again. */
  readonly #streams: MessageStream[] = [];
  #streamCount = 0;
  #holders = 0;
  #bytes = 0;
  #round = 0;

  constructor(log: MessageLog, durabilityOf: (topic: string) => DurabilityLevel) {
    this.#log = log;
    this.#durabilityOf = durabilityOf;
  }

  /** The number that the publication has in the log, if it gets there. */
  get sequence(): number {
    return this.#log.nextSequence;
  }

  /** Stands for the publication that is being routed; another number when none is. */
  get round(): number {
    return this.#round;
  }

  /** Bytes of content of the publication. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A new publication is being routed. */
  begin(message: Message): void {
    this.#round++;
    this.#bytes = message.byteLength;
    this.#streamCount = 0;
    this.#holders = 0;
  }

  /**
   * The publication stands in these streams.
   * @param isAwaited a session waits for it there: not one that has it already, or whose queue is full
   */
  note(streams: readonly MessageStream[], isAwaited: boolean): void {
    for (let at = 0; at < streams.length; at++) {
      const stream = streams[at] as MessageStream;
      if (stream.notedFor === this.#round) {
        stream.isAwaited ||= isAwaited;
        continue;
      }
      stream.notedFor = this.#round;
      stream.isAwaited = isAwaited;
      this.#streams[this.#streamCount++] = stream;
    }
  }

  /** A window holds the publication, and will release it. */
  hold(): void {
    this.#holders++;
  }

  /** A window that was to hold the publication is gone before it has been recorded. */
  letGo(): void {
    this.#holders--;
  }

  /**
   * The publication has been to everybody: records it if somebody needs it.
   * @param entries of work queues in which it stands
   * @returns the ticket of the commit that will hold it
   */
  finish(message: Message, entries: readonly QueueEntry[] = NO_ENTRIES): Ticket {
    this.#round++;
    if (this.#streamCount === 0 && this.#holders === 0 && entries.length === 0) return NO_TICKET;
    const streams = this.#streams;
    streams.length = this.#streamCount;
    let waiting = 0;
    for (let at = 0; at < streams.length; at++) if (isPushedTo(streams[at] as MessageStream)) waiting++;
    const references = this.#holders + entries.length + waiting;
    if (references === 0) return NO_TICKET;
    const sequence = this.#log.nextSequence;
    const bytes = this.#bytes;
    for (let at = 0; at < streams.length; at++) {
      const stream = streams[at] as MessageStream;
      if (isPushedTo(stream)) stream.push(sequence, bytes);
    }
    return this.#log.append(message, streams, references, this.#durabilityOf(message.topic), entries, waiting);
  }
}

/** Who waited there may have ended since, for reading too slowly. */
function isPushedTo(stream: MessageStream): boolean {
  return stream.isAwaited && stream.hasReaders;
}
