/** Files of rules, clients and topics, made up by a seed: what mosquitto and Millrace are compared on. */
import type { Random } from '../robustness/support/random-source.js';

export interface AclClient {
  readonly username: string | null;
  readonly clientId: string;
}

export interface AclCase {
  readonly seed: number;
  /** Of the acl_file. */
  readonly text: string;
  readonly clients: readonly AclClient[];
  readonly topics: readonly string[];
}

/** May do everything in each file: it shows what others may receive. */
export const ADMIN: AclClient = { username: 'admin', clientId: 'admin' };

const USERS = ['u1', 'u2', 'a', 'c1', 'u+', '#x', '__proto__', 'constructor', 'with blank', '%u', 'x/y'];
const CLIENT_IDS = ['c1', 'c2', 'a', 'b', 'c#', '+', 'c/d', '$x', '%c', '__proto__'];
const LEVELS = ['a', 'b', 'u1', 'u2', 'c1', 'c2', '', '%u', '%c', '__proto__', 'with blank', 'x'];
const FILTER_LEVELS = [...LEVELS, '+', '+', '+'];
const PATTERN_LEVELS = [...FILTER_LEVELS, '%u', '%u', '%c', '%c'];
const ACCESS = ['read', 'write', 'readwrite', 'deny', 'deny'];

export function makeCase(random: Random, seed: number): AclCase {
  const lines = Array.from({ length: 4 + random.below(20) }, () => line(random));
  const text = [...lines, `user ${ADMIN.username}`, 'topic #', 'topic $x/#', ''].join('\n');
  const clients = CLIENT_IDS.map((clientId) => {
    return { clientId, username: random.chance(0.25) ? null : random.pick(USERS) };
  });
  const filters = lines.flatMap((each) =>
    /^(topic|pattern) /.test(each) ? (each.trimEnd().split(' ').at(-1) ?? []) : [],
  );
  const topics = new Set(['a', '$x/a', 'a/b']);
  for (const filter of filters) topics.add(topicLike(filter, clients, random));
  while (topics.size < 30) topics.add(topicOf(random));
  topics.delete('');
  return { seed, text, clients, topics: [...topics] };
}

function line(random: Random): string {
  const kind = random.below(10);
  if (kind < 2) return `user ${random.pick(USERS)}`;
  if (kind === 2) return random.pick(['', '# a comment', '   ']);
  const isPattern = kind >= 7;
  const filter = filterOf(random, isPattern ? PATTERN_LEVELS : FILTER_LEVELS);
  const keyword = isPattern ? 'pattern' : 'topic';
  if (random.chance(0.2) && !filter.includes(' ')) return `${keyword} ${filter}`;
  return `${keyword} ${random.pick(ACCESS)} ${filter}${random.pick(['', '', ' ', ' \t'])}`;
}

/** Ends of the line are trimmed, so a filter must not end with a blank; nor be empty. */
function filterOf(random: Random, levels: readonly string[]): string {
  if (random.chance(0.1)) return '#';
  const chosen = Array.from({ length: 1 + random.below(3) }, () => random.pick(levels));
  if (random.chance(0.3)) chosen.push('#');
  const filter = (random.chance(0.1) ? ['$x', ...chosen] : chosen).join('/');
  return filter === '' || filter.startsWith('%') ? `a/${filter}` : filter;
}

/** A topic that the filter may match. */
function topicLike(filter: string, clients: readonly AclClient[], random: Random): string {
  const { username, clientId } = random.pick(clients);
  const levels = filter.split('/').flatMap((level) => {
    if (level === '#') return random.chance(0.5) ? [random.pick(LEVELS)] : [];
    if (level === '+') return [random.pick(LEVELS)];
    if (level === '%u' && username !== null && !/[+#]/.test(username)) return [username];
    return [level === '%c' && !/[+#]/.test(clientId) ? clientId : level];
  });
  return levels.join('/');
}

function topicOf(random: Random): string {
  const levels = Array.from({ length: 1 + random.below(3) }, () => random.pick(LEVELS));
  return (random.chance(0.15) ? ['$x', ...levels] : levels).join('/');
}
