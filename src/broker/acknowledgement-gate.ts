/**
 * Answers of one connection that must not be given before the journal has settled what they promise. They leave in the
 * order in which they were asked for [MQTT-4.6.0-2]; an answer that waits for nothing waits behind those that do.
 */
import type { Journal } from '../store/journal.js';
import type { Ticket } from '../store/ticket.js';

export class AcknowledgementGate {
  readonly #waiting: { ticket: Ticket; answer: () => void }[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  push(ticket: Ticket, answer: () => void): void {
    this.#waiting.push({ ticket, answer });
  }

  /** Gives every answer whose turn has come. */
  open(journal: Journal): void {
    const settled = journal.settledTicket;
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due]?.ticket ?? 0) <= settled) due++;
    for (const { answer } of this.#waiting.splice(0, due)) answer();
  }
}
