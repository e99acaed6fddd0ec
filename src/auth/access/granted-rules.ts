/** The rules that a client's credentials bring along. They have been written by whoever issued them, and are as good as that. */
import { describeInvalidFilter } from '../../topics/topic-filter.js';
import type { GrantedRule } from '../identity.js';
import { AccessAction, TOPIC_ACTIONS } from './access-action.js';
import { type AccessRule, type RuleList, topicRule } from './access-rule.js';
import { hasPlaceholder } from './placeholder.js';
import type { Principal } from './principal.js';
import { EVERYTHING } from './rule-target.js';
import { ruleTemplate } from './rule-template.js';

const ACTIONS: Readonly<Record<GrantedRule['action'], number>> = {
  publish: AccessAction.Publish,
  subscribe: AccessAction.Subscribe | AccessAction.Receive,
  all: TOPIC_ACTIONS,
};

export function grantedRules(principal: Principal): RuleList {
  return principal.rules.flatMap((rule, index) => grantedRule(rule, `the credentials, rule ${index + 1}`, principal));
}

function grantedRule({ effect, action, filter }: GrantedRule, origin: string, principal: Principal): AccessRule[] {
  const isAllowed = effect === 'allow';
  const actions = ACTIONS[action];
  if (describeInvalidFilter(filter, Number.POSITIVE_INFINITY) === undefined) {
    if (!hasPlaceholder(filter)) return [topicRule(isAllowed, actions, filter, origin)];
    return ruleTemplate('topic', isAllowed, actions, filter, origin).rulesFor(principal);
  }
  // Nobody can say what it was to permit, nor what it was to deny.
  return isAllowed ? [] : [{ isAllowed, actions: -1, target: EVERYTHING, origin }];
}
