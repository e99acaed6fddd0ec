/**
 * Everybody who subscribed to one path, ordinary subscribers and shared groups, and the match result that they make up
 * together. The result is built when it is first asked for and then handed out to every topic that matches nothing
 * else, until a change; so 100,000 topics under one wildcard filter share one result. Owned by the subscription trie.
 */
import { emptyMatch, type MatchResult } from './match-result.js';
import { deliversAlike, type Receiver } from './receiver.js';
import { SharedGroup } from './shared-group.js';

/** What {@link Subscribers.set} did. */
export type SetOutcome = 'added' | 'replaced' | 'unchanged';

export class Subscribers<S extends object> {
  /** Most paths have one subscriber: it stands here, and there is no Map until a second one comes. */
  #only: Receiver<S> | null = null;
  #receivers: Map<S, Receiver<S>> | null = null;
  #groups: Map<string, SharedGroup<S>> | null = null;
  #result: MatchResult<S> | null = null;

  get isEmpty(): boolean {
    return this.#only === null && this.#receivers === null && this.#groups === null;
  }

  /** What a topic gets that matches this path alone. */
  get result(): MatchResult<S> {
    this.#result ??= this.#buildResult();
    return this.#result;
  }

  /** The Receiver of an ordinary subscriber. */
  find(subscriber: S): Receiver<S> | undefined {
    if (this.#receivers !== null) return this.#receivers.get(subscriber);
    return this.#only !== null && this.#only.subscriber === subscriber ? this.#only : undefined;
  }

  /** Puts an ordinary subscriber in; replaces its earlier subscription. */
  set(receiver: Receiver<S>): SetOutcome {
    const known = this.find(receiver.subscriber);
    if (known !== undefined && deliversAlike(known, receiver)) return 'unchanged';
    this.#result = null;
    if (this.#receivers !== null) {
      this.#receivers.set(receiver.subscriber, receiver);
    } else if (this.#only === null || this.#only.subscriber === receiver.subscriber) {
      this.#only = receiver;
    } else {
      this.#receivers = new Map([
        [this.#only.subscriber, this.#only],
        [receiver.subscriber, receiver],
      ]);
      this.#only = null;
    }
    return known === undefined ? 'added' : 'replaced';
  }

  /** Takes an ordinary subscriber out. @returns false if it was not there */
  delete(subscriber: S): boolean {
    if (this.#only !== null) {
      if (this.#only.subscriber !== subscriber) return false;
      this.#only = null;
    } else {
      if (this.#receivers === null || !this.#receivers.delete(subscriber)) return false;
      if (this.#receivers.size === 0) this.#receivers = null;
    }
    this.#result = null;
    return true;
  }

  findGroup(shareName: string): SharedGroup<S> | undefined {
    return this.#groups?.get(shareName);
  }

  /** Opens a group that is not there yet. Who joins and leaves it later does not change the result, which names it. */
  openGroup(shareName: string, filter: string): SharedGroup<S> {
    const group = new SharedGroup<S>(filter);
    this.#groups ??= new Map();
    this.#groups.set(shareName, group);
    this.#result = null;
    return group;
  }

  /** Forgets a group that has lost its last member. */
  closeGroup(shareName: string): void {
    if (this.#groups === null) return;
    this.#groups.delete(shareName);
    if (this.#groups.size === 0) this.#groups = null;
    this.#result = null;
  }

  #buildResult(): MatchResult<S> {
    const nothing = emptyMatch<S>();
    let receivers = nothing.receivers;
    if (this.#only !== null) receivers = [this.#only];
    else if (this.#receivers !== null) receivers = [...this.#receivers.values()];
    const groups = this.#groups === null ? nothing.groups : [...this.#groups.values()];
    return { receivers, groups, unsharedSlots: 0 };
  }
}
