/** Reads the parts of a file of roles, and notes what is wrong with them, each with its place. */
import { isQueueTopic } from '../../topics/queue-topic.js';
import { describeInvalidFilter } from '../../topics/topic-filter.js';
import { AccessAction, QUEUE_ACTIONS, TOPIC_ACTIONS } from './access-action.js';
import type { RuleList } from './access-rule.js';
import { fillPlaceholders, findMisplaced, PLACEHOLDERS } from './placeholder.js';
import { type RuleTemplate, ruleTemplate } from './rule-template.js';

const TOPIC_WORDS: ReadonlyMap<string, number> = new Map([
  ['publish', AccessAction.Publish],
  ['subscribe', AccessAction.Subscribe | AccessAction.Receive],
  ['receive', AccessAction.Receive],
  ['all', TOPIC_ACTIONS],
]);

const QUEUE_WORDS: ReadonlyMap<string, number> = new Map([
  ['send', AccessAction.Send],
  ['receive', AccessAction.Take],
  ['manage', AccessAction.Manage],
  ['all', QUEUE_ACTIONS],
]);

const RULE_KEYS = ['allow', 'deny', 'topic', 'queue'];

/** Stands for any name where a filter with placeholders is checked. */
const SOMEBODY = { username: 'u', clientId: 'c' };

export type BookPath = readonly (string | number)[];

/** What is wrong in the file. */
export interface BookProblem {
  readonly path: BookPath;
  /** The key itself is wrong, not its value. */
  readonly isAboutKey: boolean;
  readonly message: string;
  /** A word that is not known, and those that could have been meant. */
  readonly word?: string;
  readonly candidates?: readonly string[];
}

/** A rule as it stands in the file: one of `allow` and `deny`, and one of `topic` and `queue`. */
export interface RuleDefinition {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly topic?: readonly string[];
  readonly queue?: readonly string[];
}

/** The rules of one role. */
export interface Role {
  readonly definitions: readonly RuleDefinition[];
  readonly templates: readonly RuleTemplate[];
  /** If they are the same for everybody. */
  readonly fixed: RuleList | null;
}

export class BookReader {
  readonly problems: BookProblem[] = [];
  readonly #whereIs: (path: BookPath) => string;

  constructor(whereIs: (path: BookPath) => string) {
    this.#whereIs = whereIs;
  }

  unknownKey(path: BookPath, word: string, candidates: readonly string[]): void {
    this.#fail(path, `expected one of ${candidates.join(', ')}`, { word, candidates, isAboutKey: true });
  }

  /** Nothing stands for an empty map. */
  map(value: unknown, path: BookPath): Map<string, unknown> {
    if (value === undefined || value === null) return new Map();
    if (typeof value === 'object' && !Array.isArray(value)) return new Map(Object.entries(value));
    this.#fail(path, `expected a map, found ${kindOf(value)}`);
    return new Map();
  }

  role(name: string, value: unknown, path: BookPath): Role {
    const rules = this.#list(value, path, 'rules');
    const read = rules.flatMap((rule, index) => this.#rule(name, rule, [...path, index]) ?? []);
    const templates = read.flatMap((rule) => rule.templates);
    const isFixed = templates.every((template) => template.isFixed);
    return {
      definitions: read.map(({ definition }) => definition),
      templates,
      fixed: isFixed ? templates.flatMap((template) => template.rulesFor(SOMEBODY)) : null,
    };
  }

  /** A name or a list of them; names of roles that are not there are problems. */
  roleNames(value: unknown, path: BookPath, known: readonly string[]): string[] {
    return this.#texts(value, path, 'names of roles')
      .filter(([name, at]) => {
        const isKnown = known.includes(name);
        if (!isKnown) this.#fail(at, `there is no role "${name}"`, { word: name, candidates: known });
        return isKnown;
      })
      .map(([name]) => name);
  }

  /** @returns null if something is wrong with it */
  #rule(
    role: string,
    value: unknown,
    path: BookPath,
  ): { readonly definition: RuleDefinition; readonly templates: readonly RuleTemplate[] } | null {
    const before = this.problems.length;
    const rule = this.map(value, path);
    for (const key of rule.keys()) if (!RULE_KEYS.includes(key)) this.unknownKey([...path, key], key, RULE_KEYS);
    if (this.problems.length > before) return null;
    const effect = this.#either(rule, 'allow', 'deny', path);
    const kind = this.#either(rule, 'topic', 'queue', path);
    if (effect === undefined || kind === undefined) return null;
    const words = kind === 'topic' ? TOPIC_WORDS : QUEUE_WORDS;
    const [named, actions] = this.#actions(rule.get(effect), [...path, effect], words);
    const targets = this.#texts(
      rule.get(kind),
      [...path, kind],
      kind === 'topic' ? 'topic filters' : 'names of queues',
    );
    if (targets.length === 0 && this.problems.length === before) this.#fail([...path, kind], `${kind} names nothing`);
    for (const [target, at] of targets) this.#checkTarget(kind, target, at);
    if (this.problems.length > before) return null;
    const origin = `role ${role}, rule ${Number(path.at(-1)) + 1} (${this.#whereIs(path)})`;
    const names = targets.map(([target]) => target);
    return {
      definition: { [effect]: named, [kind]: names },
      templates: names.map((target) => ruleTemplate(kind, effect === 'allow', actions, target, origin)),
    };
  }

  #either<Key extends string>(rule: Map<string, unknown>, one: Key, other: Key, path: BookPath): Key | undefined {
    if (rule.has(one) !== rule.has(other)) return rule.has(one) ? one : other;
    this.#fail(path, `a rule has either ${one} or ${other}${rule.has(one) ? ', not both' : ''}`);
    return undefined;
  }

  #actions(value: unknown, path: BookPath, words: ReadonlyMap<string, number>): [named: string[], actions: number] {
    let actions = 0;
    const named = this.#texts(value, path, 'actions');
    if (named.length === 0) this.#fail(path, `expected one of ${[...words.keys()].join(', ')}, found nothing`);
    for (const [word, at] of named) {
      const bits = words.get(word);
      if (bits !== undefined) actions |= bits;
      else {
        const candidates = [...words.keys()];
        this.#fail(at, `expected one of ${candidates.join(', ')}, found "${word}"`, { word, candidates });
      }
    }
    return [named.map(([word]) => word), actions];
  }

  #checkTarget(kind: 'topic' | 'queue', target: string, path: BookPath): void {
    const misplaced = findMisplaced(target);
    if (misplaced !== undefined) {
      const { found } = misplaced;
      const whole = kind === 'topic' ? 'a whole level of the filter' : 'the whole name';
      const message = PLACEHOLDERS.includes(found) ? `${found} must be ${whole}` : `there is no placeholder ${found}`;
      // Without its end, ${user is a part of ${username}.
      const word = found.replace('}', '');
      this.#fail(path, message, { word, candidates: PLACEHOLDERS.filter((name) => name !== found) });
      return;
    }
    if (kind === 'queue') {
      if (target === '' || target.includes('/'))
        this.#fail(path, `"${target}" is no name of a queue, nor a pattern of them`);
      return;
    }
    const invalid = describeInvalidFilter(fillPlaceholders(target, SOMEBODY, null) ?? '', Number.POSITIVE_INFINITY);
    if (invalid !== undefined) this.#fail(path, invalid);
    else if (target.startsWith('$share/')) this.#fail(path, 'a rule names the filter without $share/NAME/');
    else if (isQueueTopic(target)) this.#fail(path, 'topics below $queue are work queues: say queue: NAME');
  }

  /** One text, or a list of them, each with where it stands. Nothing stands for an empty list. */
  #texts(value: unknown, path: BookPath, what: string): [text: string, at: BookPath][] {
    if (typeof value === 'string') return [[value, path]];
    return this.#list(value, path, what).flatMap((item, index): [string, BookPath][] => {
      // 7 is a name, too.
      if (typeof item === 'string' || typeof item === 'number') return [[String(item), [...path, index]]];
      this.#fail([...path, index], `expected a text, found ${kindOf(item)}`);
      return [];
    });
  }

  #list(value: unknown, path: BookPath, what: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.#fail(path, `expected a list of ${what}, found ${kindOf(value)}`);
    return [];
  }

  #fail(path: BookPath, message: string, more: Partial<BookProblem> = {}): void {
    this.problems.push({ path, message, isAboutKey: false, ...more });
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}
