/**
 * Puts the publication that is being routed into the message log, once, if any kept session takes it: sessions note
 * what they take while it is routed, and when it has been to everybody the router has it recorded. One publication at
 * a time, as in the router.
 */
import type { DurabilityLevel } from '../core/durability.js';
import type { Message } from '../core/message.js';
import type { MessageStream } from '../core/message-stream.js';
import type { MessageLog } from '../store/message-log.js';
import { NO_TICKET, type Ticket } from '../store/ticket.js';

export class MessageRecorder {
  readonly #log: MessageLog;
  readonly #durabilityOf: (topic: string) => DurabilityLevel;
  /** Streams in which the publication stands. The array is used again and again. */
  readonly #streams: MessageStream[] = [];
  #streamCount = 0;
  #holders = 0;
  #bytes = 0;
  /** Counts publications: marks the streams that have been noted for the present one. */
  #round = 0;

  constructor(log: MessageLog, durabilityOf: (topic: string) => DurabilityLevel) {
    this.#log = log;
    this.#durabilityOf = durabilityOf;
  }

  /** The number that the publication has in the log, if it gets there. */
  get sequence(): number {
    return this.#log.nextSequence;
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

  /**
   * The publication has been to everybody: records it if somebody needs it.
   * @returns the ticket of the commit that will hold it
   */
  finish(message: Message): Ticket {
    if (this.#streamCount === 0 && this.#holders === 0) return NO_TICKET;
    const streams = this.#streams;
    streams.length = this.#streamCount;
    let references = this.#holders;
    for (let at = 0; at < streams.length; at++) if ((streams[at] as MessageStream).isAwaited) references++;
    if (references === 0) return NO_TICKET;
    const sequence = this.#log.nextSequence;
    const bytes = this.#bytes;
    for (let at = 0; at < streams.length; at++) {
      const stream = streams[at] as MessageStream;
      if (stream.isAwaited) stream.push(sequence, bytes);
    }
    return this.#log.append(message, streams, references, this.#durabilityOf(message.topic));
  }
}
