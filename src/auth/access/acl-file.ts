/**
 * The acl_file of mosquitto, with its meaning:
 *
 *   topic read news/#                 before any user: of clients without a user name
 *   user station-7                    what follows, up to the next user, is this user's; a user may come again
 *   topic readwrite sites/7/#
 *   topic deny sites/7/secret
 *   pattern write sites/%u/%c/data    of everybody, wherever it stands; %u is the user name, %c the client id
 *
 * Of each list the denials are looked at first, whatever their place.
 */
import { isQueueTopic } from '../../topics/queue-topic.js';
import { type AccessRule, type RuleList, topicRule } from './access-rule.js';
import { AclLineFault, type AclRuleLine, CLIENT, parseAclLine, USER } from './acl-line.js';
import type { Principal } from './principal.js';
import type { RuleProblem } from './rule-problem.js';
import { EVERYTHING } from './rule-target.js';

interface Pattern extends AclRuleLine {
  readonly origin: string;
}

export interface AclFileRead {
  readonly file: AclFile;
  readonly problems: readonly RuleProblem[];
}

export class AclFile {
  /** By user name; null for clients without one. */
  readonly #users: ReadonlyMap<string | null, RuleList>;
  readonly #patterns: readonly Pattern[];
  /** For whoever could match by his name what belongs to others. */
  readonly #denialOfNames: AccessRule;

  private constructor(name: string, users: ReadonlyMap<string | null, RuleList>, patterns: readonly Pattern[]) {
    this.#users = users;
    this.#patterns = patterns;
    const origin = `${name}: with patterns, a user name or client id with + or # is denied`;
    this.#denialOfNames = { isAllowed: false, actions: -1, target: EVERYTHING, origin };
  }

  /** @param name of the file, for the origins of its rules */
  static parse(name: string, text: string): AclFileRead {
    const users = new Map<string | null, AccessRule[]>();
    const patterns: Pattern[] = [];
    const problems: RuleProblem[] = [];
    let user: string | null = null;
    for (const [index, content] of text
      .replace(/^\ufeff/, '')
      .split('\n')
      .entries()) {
      const line = parseAclLine(content);
      if (line === null) continue;
      const origin = `${name}:${index + 1}`;
      if (line instanceof AclLineFault) problems.push({ line: index + 1, ...line.problem });
      else if (line.keyword === 'user') user = line.name;
      else if (line.keyword === 'pattern') patterns.push({ ...line, origin });
      else {
        const rules = users.get(user) ?? [];
        rules.push(topicRule(line.isAllowed, line.actions, line.filter, origin));
        users.set(user, rules);
      }
    }
    const lists = new Map([...users].map(([name, rules]) => [name, denialsFirst(rules)]));
    return { file: new AclFile(name, lists, denialsFirst(patterns)), problems };
  }

  /** What the file says of a client: the rules of its user, then the patterns. */
  rulesFor({ username, clientId }: Pick<Principal, 'username' | 'clientId'>): RuleList {
    const own = this.#users.get(username) ?? [];
    if (this.#patterns.length === 0) return own;
    if (/[+#]/.test(clientId) || (username !== null && /[+#]/.test(username))) return [...own, this.#denialOfNames];
    return [...own, ...this.#patterns.flatMap((pattern) => rulesOf(pattern, username, clientId))];
  }
}

function rulesOf({ isAllowed, actions, filter, origin }: Pattern, user: string | null, clientId: string): AccessRule[] {
  const levels = filter.split('/');
  if (user === null && levels.includes(USER)) return [];
  const filled = levels.map((level) => (level === USER ? (user ?? '') : level === CLIENT ? clientId : level)).join('/');
  // mosquitto has no such topics: nobody is given work queues for calling himself $queue.
  if (isAllowed && isQueueTopic(filled) && !isQueueTopic(filter)) return [];
  return [topicRule(isAllowed, actions, filled, origin)];
}

function denialsFirst<Rule extends { readonly isAllowed: boolean }>(rules: readonly Rule[]): Rule[] {
  return [...rules.filter(({ isAllowed }) => !isAllowed), ...rules.filter(({ isAllowed }) => isAllowed)];
}
