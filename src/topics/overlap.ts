/**
 * Puts the subscribers of several paths that match one topic together into one result: overlapping subscriptions of one
 * subscriber become one Receiver. Called by the subscription trie for topics that match more than one path.
 */
import { emptyMatch, type MatchResult, type Subscribed } from './match-result.js';
import { mergeReceivers, type Receiver } from './receiver.js';
import type { SharedGroup } from './shared-group.js';

/** Up to this many Receivers are compared one by one; a Map costs more than that. */
const SMALL = 16;

/** @param count how many of `matched` count; 2 or more */
export function overlap<S extends object>(matched: readonly Subscribed<S>[], count: number): MatchResult<S> {
  let total = 0;
  for (let at = 0; at < count; at++) total += (matched[at] as Subscribed<S>).result.receivers.length;
  const receivers = total <= SMALL ? mergeFew(matched, count) : mergeMany(matched, count);
  const groups = collectGroups(matched, count);
  return { receivers, groups, unsharedSlots: receivers.length + groups.length };
}

function mergeFew<S extends object>(matched: readonly Subscribed<S>[], count: number): Receiver<S>[] {
  const merged: Receiver<S>[] = [];
  for (let at = 0; at < count; at++) {
    // Within one path each subscriber stands once: only what came from earlier paths can be its double.
    const earlier = merged.length;
    for (const receiver of (matched[at] as Subscribed<S>).result.receivers) {
      let double = 0;
      while (double < earlier && (merged[double] as Receiver<S>).subscriber !== receiver.subscriber) double++;
      if (double === earlier) merged.push(receiver);
      else merged[double] = mergeReceivers(merged[double] as Receiver<S>, receiver);
    }
  }
  // Pushing leaves room for sixteen more in an array that may be kept for long; a copy has none.
  return merged.slice();
}

// A path with very many subscribers is copied as it is; only what else matches is looked up one by one.
function mergeMany<S extends object>(matched: readonly Subscribed<S>[], count: number): Receiver<S>[] {
  const largest = findLargest(matched, count);
  const others = new Map<S, Receiver<S>>();
  for (let at = 0; at < count; at++) {
    if (matched[at] === largest) continue;
    for (const receiver of (matched[at] as Subscribed<S>).result.receivers) {
      const double = others.get(receiver.subscriber);
      others.set(receiver.subscriber, double === undefined ? receiver : mergeReceivers(double, receiver));
    }
  }
  const merged = largest.result.receivers.slice();
  let doubles = 0;
  for (const receiver of others.values()) {
    if (largest.find(receiver.subscriber) === undefined) merged.push(receiver);
    else doubles++;
  }
  if (doubles > 0) mergeDoubles(merged, largest.result.receivers.length, others);
  return merged;
}

function findLargest<S extends object>(matched: readonly Subscribed<S>[], count: number): Subscribed<S> {
  let largest = matched[0] as Subscribed<S>;
  for (let at = 1; at < count; at++) {
    const candidate = matched[at] as Subscribed<S>;
    if (candidate.result.receivers.length > largest.result.receivers.length) largest = candidate;
  }
  return largest;
}

function mergeDoubles<S extends object>(merged: Receiver<S>[], end: number, others: Map<S, Receiver<S>>): void {
  for (let at = 0; at < end; at++) {
    const receiver = merged[at] as Receiver<S>;
    const double = others.get(receiver.subscriber);
    if (double !== undefined) merged[at] = mergeReceivers(receiver, double);
  }
}

function collectGroups<S extends object>(matched: readonly Subscribed<S>[], count: number): readonly SharedGroup<S>[] {
  let groups: SharedGroup<S>[] | null = null;
  for (let at = 0; at < count; at++) {
    for (const group of (matched[at] as Subscribed<S>).result.groups) {
      if (groups === null) groups = [group];
      else groups.push(group);
    }
  }
  return groups ?? emptyMatch<S>().groups;
}
