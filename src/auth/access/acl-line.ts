/** One line of an acl_file, read as mosquitto reads it: words between spaces, and what stands behind them up to the end. */
import { describeInvalidFilter } from '../../topics/topic-filter.js';
import { AccessAction } from './access-action.js';
import type { RuleProblem } from './rule-problem.js';

export interface AclRuleLine {
  /** `topic` lines belong to the user above them, `pattern` lines to everybody. */
  readonly keyword: 'topic' | 'pattern';
  readonly isAllowed: boolean;
  readonly actions: number;
  readonly filter: string;
}

export interface AclUserLine {
  readonly keyword: 'user';
  readonly name: string;
}

/** What is wrong with a line. */
export class AclLineFault {
  readonly problem: Omit<RuleProblem, 'line'>;

  constructor(column: number, message: string, word?: string, candidates?: readonly string[]) {
    this.problem = { column, message, ...(word === undefined || candidates === undefined ? {} : { word, candidates }) };
  }
}

export const USER = '%u';
export const CLIENT = '%c';
const PLACEHOLDER_IN_LEVEL = /(?<=[^/])%[uc]|%[uc](?=[^/])/;

const KEYWORDS = ['user', 'topic', 'pattern'];

const READ = AccessAction.Subscribe | AccessAction.Receive;
const WRITE = AccessAction.Publish;

/** The actions of each access word; a denial is about all of them. */
const ACTIONS: ReadonlyMap<string, number> = new Map([
  ['read', READ],
  ['write', WRITE],
  ['readwrite', READ | WRITE],
  ['deny', READ | WRITE],
]);

/** Blanks of C, which are not all that JavaScript takes for blanks. */
const END_BLANKS = /[ \t\n\v\f\r]+$/;
const START_BLANKS = /^[ \t\n\v\f\r]+/;

/** @returns null for a line that says nothing */
export function parseAclLine(line: string): AclRuleLine | AclUserLine | AclLineFault | null {
  const content = line.replace(END_BLANKS, '');
  // Only in the first column: behind a blank it is a word that means nothing.
  if (content.startsWith('#')) return null;
  const words = new Words(content);
  const keyword = words.next();
  if (keyword === undefined) return null;
  if (keyword === 'topic' || keyword === 'pattern') return parseRule(keyword, words);
  if (keyword !== 'user') {
    if (keyword.startsWith('#')) return new AclLineFault(words.column, 'a comment has its # in the first column');
    const message = `expected user, topic or pattern, found "${shown(keyword)}"`;
    return new AclLineFault(words.column, message, keyword, KEYWORDS);
  }
  const name = words.rest();
  return name === '' ? new AclLineFault(words.column, 'user needs a name') : { keyword, name };
}

function parseRule(keyword: 'topic' | 'pattern', words: Words): AclRuleLine | AclLineFault {
  let access = words.next();
  if (access === undefined) return new AclLineFault(words.column, `${keyword} needs a topic filter`);
  const accessColumn = words.column;
  let filter = words.rest();
  if (filter === '') [access, filter] = ['readwrite', access];
  const actions = ACTIONS.get(access);
  if (actions === undefined) {
    const message = `expected read, write, readwrite or deny in front of the filter, found "${shown(access)}"`;
    return new AclLineFault(accessColumn, message, access, [...ACTIONS.keys()]);
  }
  // To mosquitto a filter like any other, which no topic ever matches.
  const plain = filter.startsWith('$share/') ? `s${filter}` : filter;
  const invalid = describeInvalidFilter(plain, Number.POSITIVE_INFINITY);
  if (invalid !== undefined) return new AclLineFault(words.column, invalid);
  const misplaced = keyword === 'pattern' ? PLACEHOLDER_IN_LEVEL.exec(filter) : null;
  if (misplaced !== null) {
    const [found] = misplaced;
    const message = `${found} must be a whole level, such as a/${found}/b: within one it means different things to different releases of mosquitto`;
    return new AclLineFault(words.column + misplaced.index, message);
  }
  return { keyword, isAllowed: access !== 'deny', actions, filter };
}

/** Words between spaces, and the rest of a line, with where they begin. */
class Words {
  readonly #line: string;
  #at = 0;
  #start = 0;

  constructor(line: string) {
    this.#line = line;
  }

  /** Of what was taken last, from 1. */
  get column(): number {
    return this.#start + 1;
  }

  next(): string | undefined {
    let start = this.#at;
    while (this.#line[start] === ' ') start++;
    this.#start = Math.min(start, this.#line.length);
    if (start >= this.#line.length) return undefined;
    const space = this.#line.indexOf(' ', start);
    const end = space === -1 ? this.#line.length : space;
    this.#at = end + 1;
    return this.#line.slice(start, end);
  }

  /** Everything behind the last word, without the blanks in front of it. */
  rest(): string {
    const raw = this.#line.slice(this.#at);
    const rest = raw.replace(START_BLANKS, '');
    if (rest !== '') this.#start = this.#at + raw.length - rest.length;
    return rest;
  }
}

/** A file of another kind may have lines of a megabyte. */
function shown(word: string): string {
  return word.length > 40 ? `${word.slice(0, 37)}…` : word;
}
