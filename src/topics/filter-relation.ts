/**
 * How two filters lie to each other, as sets of topics: for those who have to know about all topics of a filter at once,
 * such as rules about who may receive what.
 */
import { startsWithDollar } from './topic-name.js';

/**
 * Whether every topic of `narrow` is one of `wide`. May say no where it is so (`+/#` and `#`), never yes where it is not.
 * @param wide of a valid filter, see {@link TopicFilter.path} @param narrow the same
 */
export function coversFilter(wide: string, narrow: string): boolean {
  // [MQTT-4.7.2-1]
  if (startsWithDollar(wide) !== startsWithDollar(narrow)) return false;
  const outer = wide.split('/');
  const inner = narrow.split('/');
  for (const [at, level] of outer.entries()) {
    // [MQTT-4.7.1-1] a/# is a, too
    if (level === '#') return true;
    const other = inner[at];
    if (other === undefined || other === '#') return false;
    if (level !== '+' && level !== other) return false;
  }
  return outer.length === inner.length;
}

/** The filter of exactly the topics that both match; null if there are none. */
export function intersectFilters(one: string, other: string): string | null {
  if (startsWithDollar(one) !== startsWithDollar(other)) return null;
  const first = one.split('/');
  const second = other.split('/');
  const both: string[] = [];
  for (let at = 0; ; at++) {
    const a = first[at];
    const b = second[at];
    if (a === '#') return [...both, ...second.slice(at)].join('/');
    if (b === '#') return [...both, ...first.slice(at)].join('/');
    if (a === undefined || b === undefined) return a === b ? both.join('/') : null;
    if (a !== b && a !== '+' && b !== '+') return null;
    both.push(a === '+' ? b : a);
  }
}
