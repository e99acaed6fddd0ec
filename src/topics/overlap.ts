/**
 * Puts the subscribers of several paths that match one topic together into one result: overlapping subscriptions of one
 * subscriber become one Receiver. Called by the subscription trie for topics that match more than one path.
 */
import { emptyMatch, type MatchResult, mergeReceivers, type Receiver } from './match-result.js';
import type { SharedGroup } from './shared-group.js';
import type { Subscribers } from './subscribers.js';

/** Up to this many Receivers are compared one by one; a Map costs more than that. */
const SMALL = 16;

/** @param count how many of `matched` count; 2 or more */
export function overlap<S extends object>(matched: readonly Subscribers<S>[], count: number): MatchResult<S> {
  let total = 0;
  for (let at = 0; at < count; at++) total += (matched[at] as Subscribers<S>).result.receivers.length;
  const receivers = total <= SMALL ? mergeFew(matched, count) : mergeMany(matched, count);
  const groups = collectGroups(matched, count);
  return { receivers, groups, unsharedSlots: receivers.length + groups.length };
}

function mergeFew<S extends object>(matched: readonly Subscribers<S>[], count: number): Receiver<S>[] {
  const merged: Receiver<S>[] = [];
  for (let at = 0; at < count; at++) {
    // Within one path each subscriber stands once: only what came from earlier paths can be its double.
    const earlier = merged.length;
    for (const receiver of (matched[at] as Subscribers<S>).result.receivers) {
      let double = 0;
      while (double < earlier && (merged[double] as Receiver<S>).subscriber !== receiver.subscriber) double++;
      if (double === earlier) merged.push(receiver);
      else merged[double] = mergeReceivers(merged[double] as Receiver<S>, receiver);
    }
  }
  return merged;
}

function mergeMany<S extends object>(matched: readonly Subscribers<S>[], count: number): Receiver<S>[] {
  const merged = new Map<S, Receiver<S>>();
  for (let at = 0; at < count; at++) {
    for (const receiver of (matched[at] as Subscribers<S>).result.receivers) {
      const double = merged.get(receiver.subscriber);
      merged.set(receiver.subscriber, double === undefined ? receiver : mergeReceivers(double, receiver));
    }
  }
  return [...merged.values()];
}

function collectGroups<S extends object>(matched: readonly Subscribers<S>[], count: number): readonly SharedGroup<S>[] {
  let groups: SharedGroup<S>[] | null = null;
  for (let at = 0; at < count; at++) {
    for (const group of (matched[at] as Subscribers<S>).result.groups) {
      if (groups === null) groups = [group];
      else groups.push(group);
    }
  }
  return groups ?? emptyMatch<S>().groups;
}
