/**
 * What a token, or a back end, says that a client may do: roles by name, and rules in the two shapes that EMQX reads:
 *
 *   {"pub": ["t/1"], "sub": ["t/#"], "all": ["own/${clientid}/#"]}
 *   [{"permission": "deny", "action": "publish", "topic": "t/secret"}, …]
 *
 * What cannot be kept to as it was meant makes all of it unusable: half a list of rules allows what the whole forbids.
 */
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import type { GrantedRule } from './identity.js';
import { isWellFormed } from './usable-name.js';

/** Continues the name of a claim. */
export class UnusableClaim {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Whom placeholders stand for. */
export interface ClaimSubject {
  readonly clientId: string;
  readonly username: string | null;
}

const MAXIMUM_ROLES = 100;
const MAXIMUM_ROLE_CHARACTERS = 256;
const MAXIMUM_RULES = 1000;
const MAXIMUM_LEVELS = 128;

const ACTIONS: ReadonlyMap<unknown, GrantedRule['action']> = new Map([
  ['pub', 'publish'],
  ['publish', 'publish'],
  ['sub', 'subscribe'],
  ['subscribe', 'subscribe'],
  ['all', 'all'],
]);

const MAP_KEYS = ['pub', 'sub', 'all'];

/** @param claim undefined and null for none */
export function readRoles(claim: unknown): readonly string[] | UnusableClaim {
  if (claim === undefined || claim === null) return [];
  if (!Array.isArray(claim)) return new UnusableClaim('is not a list of texts');
  if (claim.length > MAXIMUM_ROLES) return new UnusableClaim(`has more than ${MAXIMUM_ROLES} roles`);
  const isRole = (role: unknown): role is string =>
    typeof role === 'string' && role !== '' && role.length <= MAXIMUM_ROLE_CHARACTERS && isWellFormed(role);
  return claim.every(isRole) ? claim : new UnusableClaim('has something that is no text, empty or too long');
}

/** @param claim undefined and null for none */
export function readRules(claim: unknown, subject: ClaimSubject): readonly GrantedRule[] | UnusableClaim {
  if (claim === undefined || claim === null) return [];
  if (typeof claim !== 'object') return new UnusableClaim('is neither a map nor a list of rules');
  const drafts = Array.isArray(claim) ? claim.map(draftOfRule) : draftsOfMap(claim);
  if (drafts.length > MAXIMUM_RULES) return new UnusableClaim(`has more than ${MAXIMUM_RULES} rules`);
  const rules: GrantedRule[] = [];
  for (const draft of drafts) {
    if (draft instanceof UnusableClaim) return draft;
    const filter = filterOf(draft.topic, subject);
    if (filter instanceof UnusableClaim) return filter;
    rules.push({ effect: draft.effect, action: draft.action, filter });
  }
  return rules;
}

interface Draft {
  readonly effect: GrantedRule['effect'];
  readonly action: GrantedRule['action'];
  readonly topic: unknown;
}

function draftsOfMap(claim: object): readonly (Draft | UnusableClaim)[] {
  return Object.entries(claim).flatMap(([key, topics]: [string, unknown]): (Draft | UnusableClaim)[] => {
    const action = ACTIONS.get(key);
    if (action === undefined || !MAP_KEYS.includes(key))
      return [new UnusableClaim('has other keys than pub, sub and all')];
    if (!Array.isArray(topics)) return [new UnusableClaim(`has no list under ${key}`)];
    return topics.map((topic: unknown) => ({ effect: 'allow', action, topic }));
  });
}

function draftOfRule(rule: unknown): Draft | UnusableClaim {
  if (typeof rule !== 'object' || rule === null) return new UnusableClaim('has a rule that is no map');
  const { permission, action: actionName, topic, ...others } = rule as Record<string, unknown>;
  const action = ACTIONS.get(actionName);
  if (permission !== 'allow' && permission !== 'deny') {
    return new UnusableClaim('has a rule whose permission is neither allow nor deny');
  }
  if (action === undefined) return new UnusableClaim('has a rule whose action is not publish, subscribe or all');
  // Such as qos and retain, by which EMQX lets a rule hold for some messages only.
  if (Object.keys(others).length > 0)
    return new UnusableClaim('has a rule with more than permission, action and topic');
  return { effect: permission, action, topic };
}

function filterOf(topic: unknown, subject: ClaimSubject): string | UnusableClaim {
  if (typeof topic !== 'string') return new UnusableClaim('has a topic that is no text');
  // `eq a/+` means the filter itself, and not what it matches.
  const isLiteral = topic.startsWith('eq ');
  if (isLiteral && /[+#]/.test(topic))
    return new UnusableClaim('has a topic with eq and a wildcard, which is not supported');
  const filled = fillPlaceholders(isLiteral ? topic.slice('eq '.length) : topic, subject);
  if (filled instanceof UnusableClaim) return filled;
  const filter = parseTopicFilter(filled, MAXIMUM_LEVELS);
  if (filter instanceof InvalidFilter)
    return new UnusableClaim(`has a topic that is no topic filter: ${filter.reason}`);
  if (filter.shareName !== undefined)
    return new UnusableClaim('has a topic that begins with $share: name what is shared');
  return filled;
}

function fillPlaceholders(topic: string, { clientId, username }: ClaimSubject): string | UnusableClaim {
  let unusable: UnusableClaim | undefined;
  const filled = topic.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = name === 'clientid' ? clientId : name === 'username' ? username : null;
    if (value === null) unusable = new UnusableClaim(`has the placeholder \${${name}}, for which there is nothing`);
    // Whoever chooses its client id must not reach other topics by it.
    else if (/[+#/]/.test(value))
      unusable = new UnusableClaim(`has the placeholder \${${name}}, and that has a +, # or / in it`);
    return value ?? '';
  });
  return unusable ?? filled;
}
