/**
 * Who subscribed to filters with wildcards: two trees of levels, see FilterNode, one for filters whose first level begins with
 * `$`. What is left empty is taken out at once. Owned by the SubscriptionTrie.
 *
 * A walk visits only nodes that agree with the topic so far: its cost follows the number of matching filters and levels, not
 * the number of subscriptions. All walks are loops: a filter may have as many levels as it likes.
 */
import { matchesRest } from './filter-match.js';
import { type FilterChild, FilterNode } from './filter-node.js';
import { type Place, pathOf } from './subscribers.js';
import { startsWithDollar } from './topic-name.js';
import { levelEnd } from './topic-text.js';

export class FilterTree<S extends object> {
  readonly #root = new FilterNode<S>();
  readonly #dollarRoot = new FilterNode<S>();

  /** Room for the walk, kept between matches: the branches still to be walked, and how far they have come. */
  readonly #branches: FilterNode<S>[] = [];
  readonly #topicStarts: number[] = [];
  readonly #pathStarts: number[] = [];

  /** Whether nothing is left in it, nodes included. */
  get isEmpty(): boolean {
    return this.#root.isEmpty && this.#dollarRoot.isEmpty;
  }

  find(path: string): Place<S> | null {
    let node = this.#rootOf(path);
    let start = 0;
    for (; start <= path.length && path[start] !== '#'; ) {
      const end = levelEnd(path, start);
      const child = node.findNext(path, start, end);
      if (child === undefined) return null;
      if (!(child instanceof FilterNode)) return pathOf(child) === path ? child : null;
      node = child;
      start = end + 1;
    }
    return start > path.length ? node.here : node.below;
  }

  /** Puts `place`, which is of this path, there, unless something is there. @returns what is there */
  offer(path: string, place: Place<S>): Place<S> | null {
    return this.#put(path, place, false);
  }

  /** Puts `place`, which is of this path, there, whatever is there. */
  put(path: string, place: Place<S>): void {
    this.#put(path, place, true);
  }

  #put(path: string, place: Place<S>, replaces: boolean): Place<S> | null {
    let node = this.#rootOf(path);
    // Of another filter: with every level that both have it is in the way again.
    let inTheWay: Place<S> | null = null;
    let start = 0;
    for (; start <= path.length && path[start] !== '#'; ) {
      const end = levelEnd(path, start);
      let child = node.findNext(path, start, end);
      if (child === undefined) {
        node.addNext(path, start, end, place);
        return null;
      }
      if (!(child instanceof FilterNode)) {
        if (child !== inTheWay && pathOf(child) === path) {
          if (replaces) node.replaceNext(path, start, end, place);
          return child;
        }
        inTheWay = child;
        const next = FilterNode.around(child, end);
        node.replaceNext(path, start, end, next);
        child = next;
      }
      node = child;
      start = end + 1;
    }
    const isHere = start > path.length;
    const known = isHere ? node.here : node.below;
    if (known !== null && !replaces) return known;
    if (isHere) node.here = place;
    else node.below = place;
    return known;
  }

  /** Takes out what is there, which is something. */
  delete(path: string): void {
    let node = this.#rootOf(path);
    // The last node on the way that something else is left in, and the level by which the way goes on from there.
    let keeper = node;
    let keptStart = 0;
    let keptEnd = 0;
    let start = 0;
    for (; start <= path.length && path[start] !== '#'; ) {
      const end = levelEnd(path, start);
      if (start === 0 || node.holdsSeveral) {
        keeper = node;
        keptStart = start;
        keptEnd = end;
      }
      const child = node.findNext(path, start, end);
      if (!(child instanceof FilterNode)) {
        keeper.removeNext(path, keptStart, keptEnd);
        return;
      }
      node = child;
      start = end + 1;
    }
    if (start > path.length) node.here = null;
    else node.below = null;
    if (start > 0 && node.isEmpty) keeper.removeNext(path, keptStart, keptEnd);
  }

  /** Adds who matches a topic to those that have been found already. @returns how many that are */
  collect(topic: string, found: (Place<S> | null)[], alreadyFound: number): number {
    let count = alreadyFound;
    let waiting = 0;
    // [MQTT-4.7.2-1] a wildcard as the first level does not match a topic that begins with $
    let node = this.#rootOf(topic);
    let inTopic = 0;
    let inPath = 0;
    // Follows one branch to its end and puts the other ones by.
    for (;;) {
      // [MQTT-4.7.1-1] # stands for the level before it too: a/# matches a
      if (node.below !== null) found[count++] = node.below;
      let next: FilterChild<S> | null = null;
      let nextInPath = 0;
      if (inTopic > topic.length) {
        if (node.here !== null) found[count++] = node.here;
      } else {
        const end = levelEnd(topic, inTopic);
        // [MQTT-4.7.3-4] levels are compared as they are, empty ones too
        next = node.findChild(topic, inTopic, end) ?? null;
        nextInPath = inPath + end + 1 - inTopic;
        inTopic = end + 1;
        if (next !== null && !(next instanceof FilterNode)) {
          if (matchesRest(pathOf(next), nextInPath, topic, inTopic)) found[count++] = next;
          next = null;
        }
        // [MQTT-4.7.1-2] + stands for one level
        const { plus } = node;
        if (plus !== null && !(plus instanceof FilterNode)) {
          if (matchesRest(pathOf(plus), inPath + 2, topic, inTopic)) found[count++] = plus;
        } else if (next === null) {
          next = plus;
          nextInPath = inPath + 2;
        } else if (plus !== null) {
          this.#branches[waiting] = plus;
          this.#topicStarts[waiting] = inTopic;
          this.#pathStarts[waiting++] = inPath + 2;
        }
      }
      if (next !== null) {
        node = next;
        inPath = nextInPath;
      } else {
        if (waiting === 0) return count;
        node = this.#branches[--waiting] as FilterNode<S>;
        inTopic = this.#topicStarts[waiting] as number;
        inPath = this.#pathStarts[waiting] as number;
      }
    }
  }

  #rootOf(path: string): FilterNode<S> {
    return startsWithDollar(path) ? this.#dollarRoot : this.#root;
  }
}
