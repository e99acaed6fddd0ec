/**
 * What one client may do, by one version of the rules. Each list decides for itself; among the lists a denial beats a permission, and
 * what none permits is denied.
 *
 *   list of the ACL file     deny a/secret   allow a/#         a/secret: denied, whatever the others say
 *   list of a role           allow a/secret/#                  a/x: allowed
 */
import { isQueueTopic, queueOfControlTopic, topicOfQueue } from '../../topics/queue-topic.js';
import { AccessAction } from './access-action.js';
import { type AccessRule, findRule, type RuleList } from './access-rule.js';

/** How much of a filter's topics a client may receive, as far as can be told without knowing them: never too much. */
export type Coverage = 'none' | 'some' | 'all';

export class ClientRights {
  readonly #lists: readonly RuleList[];

  constructor(lists: readonly RuleList[]) {
    this.#lists = lists;
  }

  /** @returns the rule that decides; null if none is about it: it is denied */
  findDeciding(topic: string, action: AccessAction): AccessRule | null {
    let permitting: AccessRule | null = null;
    for (const list of this.#lists) {
      const rule = findRule(list, topic, action);
      if (rule === undefined) continue;
      if (!rule.isAllowed) return rule;
      permitting ??= rule;
    }
    return permitting;
  }

  allows(topic: string, action: AccessAction): boolean {
    return this.findDeciding(topic, action)?.isAllowed === true;
  }

  /** The same for PUBLISH on any topic: below `$queue` it puts messages into work queues, or says what became of them. */
  allowsPublish(topic: string): boolean {
    if (!isQueueTopic(topic)) return this.allows(topic, AccessAction.Publish);
    const controlled = queueOfControlTopic(topic);
    if (controlled === null) return this.allows(topic, AccessAction.Send);
    return this.allows(topicOfQueue(controlled), AccessAction.Take);
  }

  /** @param filter as the client subscribes to it, without `$share/name/` */
  examine(filter: string): Coverage {
    if (!this.#mayHold(filter, AccessAction.Subscribe) || !this.#mayHold(filter, AccessAction.Receive)) return 'none';
    return this.#holds(filter, AccessAction.Receive) ? 'all' : 'some';
  }

  /** Whether the action is allowed on all topics of the filter; may say no where it is. */
  #holds(filter: string, action: AccessAction): boolean {
    let isPermitted = false;
    for (const list of this.#lists) {
      const verdict = verdictOnAll(list, filter, action);
      if (verdict === 'unclear') return false;
      isPermitted ||= verdict === 'allows';
    }
    return isPermitted;
  }

  /** Whether the action is allowed on some topic of the filter; may say yes where it is not. */
  #mayHold(filter: string, action: AccessAction): boolean {
    for (const list of this.#lists) {
      for (const [at, { isAllowed, actions, target }] of list.entries()) {
        if (!isAllowed || (actions & action) === 0) continue;
        const permitted = target.intersect(filter);
        if (permitted === null || list.slice(0, at).some((rule) => deniesAll(rule, permitted, action))) continue;
        if (!this.#lists.some((other) => other !== list && deniesFirst(other, permitted, action))) return true;
      }
    }
    return false;
  }
}

function deniesAll({ isAllowed, actions, target }: AccessRule, filter: string, action: AccessAction): boolean {
  return !isAllowed && (actions & action) !== 0 && target.covers(filter);
}

/** The list denies every topic of the filter, by one rule. */
function deniesFirst(list: RuleList, filter: string, action: AccessAction): boolean {
  for (const rule of list) {
    if ((rule.actions & action) === 0) continue;
    if (deniesAll(rule, filter, action)) return true;
    if (rule.isAllowed && rule.target.intersect(filter) !== null) return false;
  }
  return false;
}

/** What the list says of every topic of the filter; `silent` if it denies none of them, and may have no opinion on some. */
function verdictOnAll(list: RuleList, filter: string, action: AccessAction): 'allows' | 'silent' | 'unclear' {
  for (const { isAllowed, actions, target } of list) {
    if ((actions & action) === 0) continue;
    if (!isAllowed && target.intersect(filter) !== null) return 'unclear';
    if (isAllowed && target.covers(filter)) return 'allows';
  }
  return 'silent';
}
