/**
 * The members of one shared subscription (`$share/name/filter`), and which of them gets the next message. Made by the
 * subscription trie; the broker asks {@link SharedGroup.choose} for each message.
 *
 * Members stand in three rings by what was last seen of them. A choice takes the first of `ready` and puts it last:
 *
 *   ready  A → B → C → …      asked first; who is not ready any more leaves the ring, so each step is paid for once
 *   full   D → E → …          connected, but without room; a few are asked again at each choice
 *   away   F → G → …          not connected; likewise
 *
 * A choice never asks more than a fixed number of the full and the away ones. So in a group with more than LONG_LOOK of
 * these, a member that came back is noticed after at most (their number / SHORT_LOOK) choices; in a smaller one at once
 * if nobody else is ready.
 */
import type { Qos } from '../core/message.js';
import { Readiness } from '../core/subscriber.js';
import { Member, MemberRing } from './member-ring.js';
import type { Receiver } from './receiver.js';

/** Members of the full and of the away ring that a choice asks again while others are ready. */
const SHORT_LOOK = 4;
/** The same when nobody is known to be ready. */
const LONG_LOOK = 64;

/** What a member could do with the message that somebody is chosen for. */
export type ReadinessOf<S> = (member: Receiver<S>) => Readiness;

export class SharedGroup<S> {
  /** The whole filter, `$share/name/` included: the identity of the group. */
  readonly filter: string;
  readonly #members = new Map<S, Member<S>>();
  readonly #ready = new MemberRing<S>();
  readonly #full = new MemberRing<S>();
  readonly #away = new MemberRing<S>();

  constructor(filter: string) {
    this.filter = filter;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** Each member with what it gets; in the order of joining. */
  *members(): IterableIterator<Receiver<S>> {
    for (const member of this.#members.values()) yield member.receiver;
  }

  /** What a member gets; undefined if it is none. */
  find(subscriber: S): Receiver<S> | undefined {
    return this.#members.get(subscriber)?.receiver;
  }

  /** Takes a member in, as the last in turn; one that is in already keeps its turn. @returns true if it is new */
  add(receiver: Receiver<S>): boolean {
    const known = this.#members.get(receiver.subscriber);
    if (known !== undefined) {
      known.receiver = receiver;
      return false;
    }
    const member = new Member(receiver);
    this.#members.set(receiver.subscriber, member);
    this.#ready.append(member);
    return true;
  }

  /** @returns false if it was not a member */
  remove(subscriber: S): boolean {
    const member = this.#members.get(subscriber);
    if (member === undefined) return false;
    this.#members.delete(subscriber);
    member.leaveRing();
    return true;
  }

  /**
   * Chooses who gets a message, each in turn: a ready member; if there is none, a full one; if there is none and the
   * message can wait, one that is away. [MQTT-4.8.2-3] The QoS granted to the chosen one is in its Receiver.
   *
   * @param readiness asked about single members, and answering the same about one member during the call. A member that
   *   may not have this message is Gone for it, and is asked again at later choices like one that is away
   * @param qos of the message; at QoS 0, or for a member that gets it at QoS 0, no message waits in a session
   * @returns undefined if nobody can take it
   */
  choose(readiness: ReadinessOf<S>, qos: Qos): Receiver<S> | undefined {
    const look = this.#ready.size > 0 ? SHORT_LOOK : LONG_LOOK;
    this.#lookAgain(this.#full, readiness, look);
    this.#lookAgain(this.#away, readiness, look);
    let chosen = this.#next(this.#ready, Readiness.Ready, this.#ready.size, readiness);
    if (chosen !== undefined) return chosen;
    if (look === SHORT_LOOK) {
      this.#lookAgain(this.#full, readiness, LONG_LOOK);
      this.#lookAgain(this.#away, readiness, LONG_LOOK);
      chosen = this.#next(this.#ready, Readiness.Ready, this.#ready.size, readiness);
      if (chosen !== undefined) return chosen;
    }
    chosen = this.#next(this.#full, Readiness.Full, LONG_LOOK, readiness);
    if (chosen !== undefined || qos === 0) return chosen;
    return this.#next(this.#away, Readiness.Away, LONG_LOOK, readiness);
  }

  /** Asks the first `limit` members of a ring and puts each where it belongs now, as the last. */
  #lookAgain(ring: MemberRing<S>, readiness: ReadinessOf<S>, limit: number): void {
    for (let left = Math.min(limit, ring.size); left > 0; left--) {
      const member = ring.first;
      if (member === null) return;
      this.#ringOf(readiness(member.receiver)).append(member);
    }
  }

  /** The first among `limit` members of a ring that is as good as `wanted` or better. */
  #next(ring: MemberRing<S>, wanted: Readiness, limit: number, readiness: ReadinessOf<S>): Receiver<S> | undefined {
    for (let left = Math.min(limit, ring.size); left > 0; left--) {
      const member = ring.first;
      if (member === null) return undefined;
      const found = readiness(member.receiver);
      this.#ringOf(found).append(member);
      if (found > wanted) continue;
      // A QoS 0 subscription does not fill the session of somebody who is away.
      if (found === Readiness.Away && member.receiver.qos === 0) continue;
      return member.receiver;
    }
    return undefined;
  }

  #ringOf(readiness: Readiness): MemberRing<S> {
    if (readiness === Readiness.Ready) return this.#ready;
    return readiness === Readiness.Full ? this.#full : this.#away;
  }
}
