/**
 * A ring of group members in the order in which their turn comes: a circular doubly linked list, so that joining,
 * leaving and going to the end are O(1) and allocate nothing. A member is in one ring at most. Used by SharedGroup only.
 */
import type { Receiver } from './receiver.js';

export class Member<S> {
  receiver: Receiver<S>;
  /** Where it stands; owned by the rings. */
  ring: MemberRing<S> | null = null;
  previous: Member<S> = this;
  next: Member<S> = this;

  constructor(receiver: Receiver<S>) {
    this.receiver = receiver;
  }

  leaveRing(): void {
    this.ring?.remove(this);
  }
}

export class MemberRing<S> {
  #first: Member<S> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whose turn it is; null if the ring is empty. */
  get first(): Member<S> | null {
    return this.#first;
  }

  /** Makes `member` the last of this ring, wherever it stood before. */
  append(member: Member<S>): void {
    if (member.ring === this && this.#first === member) {
      this.#first = member.next;
      return;
    }
    member.leaveRing();
    const first = this.#first;
    if (first === null) {
      this.#first = member;
    } else {
      member.previous = first.previous;
      member.next = first;
      first.previous.next = member;
      first.previous = member;
    }
    member.ring = this;
    this.#size++;
  }

  /** Takes a member of this ring out. */
  remove(member: Member<S>): void {
    if (this.#first === member) this.#first = member.next === member ? null : member.next;
    member.previous.next = member.next;
    member.next.previous = member.previous;
    member.previous = member;
    member.next = member;
    member.ring = null;
    this.#size--;
  }
}
