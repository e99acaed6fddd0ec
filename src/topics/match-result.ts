/**
 * Who gets a message: at most one Receiver per subscriber, however many of its subscriptions match, and every shared
 * group that matches. Made by the subscription trie, read by the broker for each message, handed out to many topics at
 * once: nothing in here changes after it has been built.
 */
import type { Receiver } from './receiver.js';
import type { SharedGroup } from './shared-group.js';

export interface MatchResult<S> {
  /** In no particular order; each subscriber once. */
  readonly receivers: readonly Receiver<S>[];
  readonly groups: readonly SharedGroup<S>[];
  /** Places in arrays that exist for this result alone; 0 if it is shared by every topic that matches the same. */
  readonly unsharedSlots: number;
}

/** Everybody who subscribed to one path. */
export interface Subscribed<S> {
  /** What a topic gets that matches this path alone. */
  readonly result: MatchResult<S>;
  /** The Receiver of an ordinary subscriber. */
  find(subscriber: S): Receiver<S> | undefined;
}

const NOTHING: { receivers: readonly never[]; groups: readonly never[]; unsharedSlots: number } = {
  receivers: [],
  groups: [],
  unsharedSlots: 0,
};

/** The result for topics that match one subscription. */
export function loneMatch<S>(receiver: Receiver<S>): MatchResult<S> {
  return { receivers: [receiver], groups: NOTHING.groups, unsharedSlots: 0 };
}

/** The result for a topic that nobody subscribes to: always the same object. */
export function emptyMatch<S>(): MatchResult<S> {
  return NOTHING;
}
