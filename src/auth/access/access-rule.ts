/**
 * One rule of whatever source. Rules stand in lists, each of which decides on its own: the first rule of a list that is about
 * the action and the topic is what the list says.
 */
import { isQueueTopic } from '../../topics/queue-topic.js';
import { queueActionsOf } from './access-action.js';
import { FilterTarget, type RuleTarget } from './rule-target.js';

export interface AccessRule {
  readonly isAllowed: boolean;
  /** Bits of {@link AccessAction}. */
  readonly actions: number;
  readonly target: RuleTarget;
  /** Where it stands, for people: `acl.conf:12`. */
  readonly origin: string;
}

export type RuleList = readonly AccessRule[];

/** A rule about topics. One below `$queue` is about work queues, whatever it calls what may be done there. */
export function topicRule(isAllowed: boolean, actions: number, filter: string, origin: string): AccessRule {
  const meant = isQueueTopic(filter) ? queueActionsOf(actions) : actions;
  return { isAllowed, actions: meant, target: new FilterTarget(filter), origin };
}

/** @returns the rule by which the list decides; undefined if it has no opinion */
export function findRule(list: RuleList, topic: string, action: number): AccessRule | undefined {
  for (const rule of list) if ((rule.actions & action) !== 0 && rule.target.matches(topic)) return rule;
  return undefined;
}
