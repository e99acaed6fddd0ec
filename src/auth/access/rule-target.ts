/** What a rule is about: the topics of a filter, work queues by name, or everything. */
import { NamePattern } from '../../core/name-pattern.js';
import { matchesTopic } from '../../topics/filter-match.js';
import { coversFilter, intersectFilters } from '../../topics/filter-relation.js';
import { topicOfQueue } from '../../topics/queue-topic.js';

export interface RuleTarget {
  /** As it is shown to people. */
  readonly text: string;
  /** Whether the topic is one of them; a work queue is asked for by the topic that puts messages into it. */
  matches(topic: string): boolean;
  /** Whether all topics of the filter are. May say no where they are. */
  covers(filter: string): boolean;
  /** The filter of the topics of `filter` that are; null if there are none. */
  intersect(filter: string): string | null;
}

/** The topics of one filter. */
export class FilterTarget implements RuleTarget {
  readonly text: string;

  /** @param filter valid, and not shared */
  constructor(filter: string) {
    this.text = filter;
  }

  matches(topic: string): boolean {
    return matchesTopic(this.text, topic);
  }

  covers(filter: string): boolean {
    return coversFilter(this.text, filter);
  }

  intersect(filter: string): string | null {
    return intersectFilters(this.text, filter);
  }
}

/** Work queues whose names match a pattern; no topics that anybody could subscribe to otherwise. */
export class QueueTarget implements RuleTarget {
  static readonly #topicStart = topicOfQueue('');
  readonly text: string;
  readonly #names: NamePattern;

  /** @param pattern a name, in which `*` stands for any characters */
  constructor(pattern: string) {
    this.text = `queue ${pattern}`;
    this.#names = new NamePattern(pattern);
  }

  matches(topic: string): boolean {
    return (
      topic.startsWith(QueueTarget.#topicStart) && this.#names.matches(topic.slice(QueueTarget.#topicStart.length))
    );
  }

  covers(): boolean {
    return false;
  }

  intersect(): null {
    return null;
  }
}

export const EVERYTHING: RuleTarget = {
  text: 'everything',
  matches: () => true,
  covers: () => true,
  intersect: (filter) => filter,
};
