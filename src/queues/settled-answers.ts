/** Answers that wait until what they promise is on disk, in the order in which they were made. */
import type { Ticket } from '../store/ticket.js';

export interface Answer {
  /** Its ticket has been settled. */
  onSettled(): void;
}

/** Who has been asked for more by somebody who was just answered. */
export interface AskedQueue {
  /** The others have been answered, too, and have asked for more if they want it. */
  onAllAnswered(): void;
}

/** Answers that have left, from which on the lists are cut. */
const CUT_FROM = 256;

/** Stands where an answer stood that has left. */
const LEFT: Answer = { onSettled() {} };

export class SettledAnswers {
  #tickets: Ticket[] = [];
  #answers: Answer[] = [];
  #next = 0;
  #holds = 0;
  /** Calls of {@link release} within each other. */
  #releases = 0;
  readonly #asked = new Set<AskedQueue>();

  get length(): number {
    return this.#answers.length - this.#next;
  }

  /** Leaves at once if `settled` has come so far and nobody is in front. */
  add(answer: Answer, ticket: Ticket, settled: Ticket): void {
    if (this.#holds === 0 && this.length === 0 && ticket <= settled) {
      answer.onSettled();
      return;
    }
    this.#tickets.push(ticket);
    this.#answers.push(answer);
  }

  /** Nobody is called until {@link letGo}: whoever is called may do anything, and something is half done. */
  hold(): void {
    this.#holds++;
  }

  /** Ends one {@link hold}. */
  letGo(settled: Ticket): void {
    if (--this.#holds === 0 && this.length > 0) this.release(settled);
  }

  /** Everything up to `settled` is on disk. */
  release(settled: Ticket): void {
    if (this.#holds > 0) return;
    this.#releases++;
    while (this.#next < this.#answers.length && (this.#tickets[this.#next] as Ticket) <= settled) {
      const answer = this.#answers[this.#next] as Answer;
      // It may hold much: a whole request. Waiting for the cut, it would outlive the young generation.
      this.#answers[this.#next++] = LEFT;
      answer.onSettled();
    }
    if (this.#next === this.#answers.length) {
      this.#tickets = [];
      this.#answers = [];
      this.#next = 0;
    } else if (this.#next >= CUT_FROM && this.#next * 2 >= this.#answers.length) {
      this.#tickets = this.#tickets.slice(this.#next);
      this.#answers = this.#answers.slice(this.#next);
      this.#next = 0;
    }
    if (--this.#releases === 0 && this.#asked.size > 0) this.#tellAsked();
  }

  /** @returns false if nobody is being answered now: the queue is not told */
  tellWhenAnswered(queue: AskedQueue): boolean {
    if (this.#releases === 0) return false;
    this.#asked.add(queue);
    return true;
  }

  #tellAsked(): void {
    const asked = [...this.#asked];
    this.#asked.clear();
    for (const queue of asked) queue.onAllAnswered();
  }
}
