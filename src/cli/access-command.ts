/** `millrace acl test`: what the rules say of one client, and which of them says it. */
import { AccessAction } from '../auth/access/access-action.js';
import { AccessControl } from '../auth/access/access-control.js';
import type { AccessRule } from '../auth/access/access-rule.js';
import type { ClientRights } from '../auth/access/client-rights.js';
import { isReservedFrom } from '../broker/reserved-topic.js';
import { isQueueTopic, parseQueueFilter, topicOfQueue } from '../topics/queue-topic.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import { validateTopicName } from '../topics/topic-name.js';
import type { AccessRulesRead } from './access-files.js';
import type { AccessSettings } from './access-schema.js';
import { closestName, didYouMean } from './suggestion.js';

export interface AccessQuestion {
  /** Values of the flags, by name without the dashes. */
  readonly options: ReadonlyMap<string, string>;
}

/** What is answered; printed as JSON as it is. */
export interface AccessAnswer {
  readonly allowed: boolean;
  /** The question, in words: `publish to a/b`. */
  readonly action: string;
  readonly username: string | null;
  readonly clientId: string;
  /** Where the rule stands that decides; null if none does. */
  readonly rule: string | null;
  readonly why: string;
}

/** The question makes no sense. */
export class AccessMisuse {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const QUEUE_ACTIONS: ReadonlyMap<string, AccessAction> = new Map([
  ['send', AccessAction.Send],
  ['receive', AccessAction.Take],
  ['manage', AccessAction.Manage],
]);

const ASKING = ['publish', 'subscribe', 'receive', 'queue'];

export function testAccess(
  { options }: AccessQuestion,
  { subscribeCheck }: AccessSettings,
  read: AccessRulesRead,
): AccessAnswer | AccessMisuse {
  const asked = ASKING.filter((name) => options.has(name));
  const [kind = ''] = asked;
  if (asked.length !== 1)
    return new AccessMisuse('acl test needs one of --publish, --subscribe, --receive and --queue');
  if (options.has('action') && kind !== 'queue') return new AccessMisuse('flag --action goes with --queue');
  const username = options.get('user') ?? null;
  const clientId = options.get('client') ?? '';
  const roles =
    options
      .get('roles')
      ?.split(',')
      .filter((role) => role !== '') ?? [];
  const control = new AccessControl(read.rules ?? null, subscribeCheck);
  const rights = control.rightsOf({ username, clientId, roles, rules: [] });
  const test = new AccessTest(rights, control, username, clientId);
  const value = options.get(kind) ?? '';
  switch (kind) {
    case 'publish':
      return test.publish(value);
    case 'subscribe':
      return test.subscribe(value);
    case 'receive':
      return test.receive(value);
    default:
      return test.queue(value, options.get('action'));
  }
}

/** One line for people. */
export function accessAnswerText({ allowed, action, why }: AccessAnswer): string {
  return `${allowed ? 'allow' : 'deny'}: ${action}: ${why}\n`;
}

class AccessTest {
  readonly #rights: ClientRights;
  readonly #control: AccessControl;
  readonly #username: string | null;
  readonly #clientId: string;

  constructor(rights: ClientRights, control: AccessControl, username: string | null, clientId: string) {
    this.#rights = rights;
    this.#control = control;
    this.#username = username;
    this.#clientId = clientId;
  }

  publish(topic: string): AccessAnswer | AccessMisuse {
    const invalid = validateTopicName(topic, Number.POSITIVE_INFINITY);
    if (invalid !== undefined) return new AccessMisuse(`flag --publish: ${invalid}`);
    const action = `publish to ${topic}`;
    if (isReservedFrom(topic, this.#clientId)) {
      return this.#answer(false, action, null, 'the broker alone publishes below $SYS');
    }
    if (isQueueTopic(topic)) return new AccessMisuse(`flag --publish: ask with --queue about topics below $queue`);
    return this.#decided(action, topic, AccessAction.Publish);
  }

  receive(topic: string): AccessAnswer | AccessMisuse {
    const invalid = validateTopicName(topic, Number.POSITIVE_INFINITY);
    if (invalid !== undefined) return new AccessMisuse(`flag --receive: ${invalid}`);
    return this.#decided(`receive ${topic}`, topic, AccessAction.Receive);
  }

  subscribe(text: string): AccessAnswer | AccessMisuse {
    const filter = parseTopicFilter(text, Number.POSITIVE_INFINITY);
    if (filter instanceof InvalidFilter) return new AccessMisuse(`flag --subscribe: ${filter.reason}`);
    const target = isQueueTopic(text) ? parseQueueFilter(text) : null;
    if (target !== null) return this.queue(target.queue, 'receive');
    const action = `subscribe to ${text}`;
    if (this.#control.isOpen) return this.#answer(true, action, null, NO_RULES);
    if (!filter.hasWildcard) {
      const deciding = this.#subscribing(filter.path);
      if (deciding?.isAllowed === true) return this.#answer(true, action, deciding, whyOf(deciding));
      if (this.#control.refusesVainSubscriptions) return this.#answer(false, action, deciding, whyOf(deciding));
      return this.#answer(
        true,
        action,
        deciding,
        `accepted by access.subscribeCheck, and brings nothing: ${whyOf(deciding)}`,
      );
    }
    const coverage = this.#rights.examine(filter.path);
    const isAccepted = coverage !== 'none' || !this.#control.refusesVainSubscriptions;
    return this.#answer(isAccepted, action, null, COVERAGE_TEXT[coverage]);
  }

  queue(queue: string, actionText: string | undefined): AccessAnswer | AccessMisuse {
    const action = QUEUE_ACTIONS.get(actionText ?? '');
    if (action === undefined) {
      const words = [...QUEUE_ACTIONS.keys()];
      if (actionText === undefined) return new AccessMisuse(`flag --queue needs --action: one of ${words.join(', ')}`);
      const hint = didYouMean(closestName(actionText, words));
      return new AccessMisuse(`flag --action: expected one of ${words.join(', ')}, found "${actionText}"${hint}`);
    }
    if (/[/+#]/.test(queue)) return new AccessMisuse(`flag --queue: "${queue}" is no name of a queue`);
    return this.#decided(`${actionText} on queue ${queue}`, topicOfQueue(queue), action);
  }

  /** A filter without wildcards is a topic, and has to pass both as a subscription and as what is received. */
  #subscribing(topic: string): AccessRule | null {
    const subscribing = this.#rights.findDeciding(topic, AccessAction.Subscribe);
    return subscribing?.isAllowed === true ? this.#rights.findDeciding(topic, AccessAction.Receive) : subscribing;
  }

  #decided(action: string, topic: string, asked: AccessAction): AccessAnswer {
    if (this.#control.isOpen) return this.#answer(true, action, null, NO_RULES);
    const rule = this.#rights.findDeciding(topic, asked);
    return this.#answer(rule?.isAllowed === true, action, rule, whyOf(rule));
  }

  #answer(allowed: boolean, action: string, rule: AccessRule | null, why: string): AccessAnswer {
    return { allowed, action, username: this.#username, clientId: this.#clientId, rule: rule?.origin ?? null, why };
  }
}

const NO_RULES = 'no rules are configured, everything is allowed';

const COVERAGE_TEXT = {
  none: 'none of its topics may be received',
  some: 'some of its topics may be received; the others are left out',
  all: 'all of its topics may be received',
} as const;

function whyOf(rule: AccessRule | null): string {
  if (rule === null) return 'no rule is about it';
  return `${rule.origin} ${rule.isAllowed ? 'allows' : 'denies'} ${rule.target.text}`;
}
