/** A rule of a role: for some clients it is a rule, and for others, whose names it does not fit, none. */
import { type AccessRule, topicRule } from './access-rule.js';
import { fillPlaceholders, hasPlaceholder } from './placeholder.js';
import type { Principal } from './principal.js';
import { QueueTarget } from './rule-target.js';

export interface RuleTemplate {
  /** It is the same for everybody. */
  readonly isFixed: boolean;
  rulesFor(principal: Pick<Principal, 'username' | 'clientId'>): AccessRule[];
}

/** @param target a topic filter, or a pattern of names of queues; it may have placeholders */
export function ruleTemplate(
  kind: 'topic' | 'queue',
  isAllowed: boolean,
  actions: number,
  target: string,
  origin: string,
): RuleTemplate {
  const make = (text: string): AccessRule =>
    kind === 'topic'
      ? topicRule(isAllowed, actions, text, origin)
      : { isAllowed, actions, target: new QueueTarget(text), origin };
  if (!hasPlaceholder(target)) {
    const rules = [make(target)];
    return { isFixed: true, rulesFor: () => rules };
  }
  // A name that fits nowhere is permitted nothing by it, and denied whatever the rule could mean.
  const unusable = isAllowed ? null : kind === 'topic' ? '+' : '*';
  return {
    isFixed: false,
    rulesFor(principal) {
      const filled = fillPlaceholders(target, principal, unusable);
      return filled === null ? [] : [make(filled)];
    },
  };
}
