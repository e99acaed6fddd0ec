/**
 * A topic filter taken apart: what SUBSCRIBE and UNSUBSCRIBE name, shared or not. Built once when the packet is read;
 * everything behind the parser can rely on a TopicFilter being valid.
 *
 *   $share/workers/site/+/temperature
 *          ^^^^^^^ ^^^^^^^^^^^^^^^^^^
 *          shareName     path
 */
import { countLevels, describeInvalidTopicText } from './topic-text.js';

const SHARE_PREFIX = '$share/';

/** A valid filter. Two filters are the same subscription if `filter` is the same text, which is what is kept of them. */
export class TopicFilter {
  /** As the client wrote it. */
  readonly filter: string;
  /** Name of the group of a shared subscription; undefined for an ordinary one. */
  readonly shareName: string | undefined;
  /** What topics are compared with: the filter without `$share/name/`. */
  readonly path: string;
  readonly hasWildcard: boolean;

  /** Only for the functions below, which know that the parts are valid. */
  constructor(filter: string, shareName: string | undefined, path: string) {
    this.filter = filter;
    this.shareName = shareName;
    this.path = path;
    this.hasWildcard = path.includes('+') || path.includes('#');
  }

  /** The levels of `path`, made anew on each call. */
  get levels(): readonly string[] {
    return this.path.split('/');
  }
}

/** Takes a text apart that is known to be a valid filter; what comes of another is good for comparison with such. */
export function knownFilter(filter: string): TopicFilter {
  if (!filter.startsWith(SHARE_PREFIX)) return new TopicFilter(filter, undefined, filter);
  const nameEnd = filter.indexOf('/', SHARE_PREFIX.length);
  return new TopicFilter(filter, filter.slice(SHARE_PREFIX.length, nameEnd), filter.slice(nameEnd + 1));
}

/** What the parser returns for text that is no filter. */
export class InvalidFilter {
  /** What is wrong, with the clause. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * Takes a filter apart; never throws. Shared filters are the same for every protocol version.
 *
 * @param maximumLevels most levels that the broker allows; `$share/name/` does not count
 * @param maximumCharacters the longest filter that it allows, with everything
 */
export function parseTopicFilter(
  filter: string,
  maximumLevels: number,
  maximumCharacters = Number.POSITIVE_INFINITY,
): TopicFilter | InvalidFilter {
  const invalidText = describeInvalidTopicText('Topic filter', filter);
  if (invalidText !== undefined) return new InvalidFilter(invalidText);
  if (filter.length > maximumCharacters) {
    return new InvalidFilter(`Topic filter has more than ${maximumCharacters} characters`);
  }
  if (!filter.startsWith(SHARE_PREFIX)) return checkedFilter(filter, undefined, filter, maximumLevels);

  // [MQTT-4.8.2-2] the name ends with the first separator, and a filter follows
  const nameEnd = filter.indexOf('/', SHARE_PREFIX.length);
  const shareName = filter.slice(SHARE_PREFIX.length, nameEnd === -1 ? undefined : nameEnd);
  // [MQTT-4.8.2-1] at least one character
  if (shareName.length === 0) return new InvalidFilter('Share name is empty [MQTT-4.8.2-1]');
  if (shareName.includes('+') || shareName.includes('#')) {
    return new InvalidFilter('Share name contains a wildcard [MQTT-4.8.2-2]');
  }
  const path = nameEnd === -1 ? '' : filter.slice(nameEnd + 1);
  if (path.length === 0) return new InvalidFilter('No topic filter follows the share name [MQTT-4.8.2-2]');
  return checkedFilter(filter, shareName, path, maximumLevels);
}

/** What is wrong with a filter, with the clause; undefined if it is valid. For callers that need no TopicFilter. */
export function describeInvalidFilter(filter: string, maximumLevels: number): string | undefined {
  const parsed = parseTopicFilter(filter, maximumLevels);
  return parsed instanceof InvalidFilter ? parsed.reason : undefined;
}

function checkedFilter(
  filter: string,
  shareName: string | undefined,
  path: string,
  maximumLevels: number,
): TopicFilter | InvalidFilter {
  if (countLevels(path) > maximumLevels) return new InvalidFilter(`Topic filter has more than ${maximumLevels} levels`);
  // [MQTT-4.7.1-1] # is the last character, alone or after a separator
  const hash = path.indexOf('#');
  if (hash !== -1 && (hash !== path.length - 1 || !isLevelStart(path, hash))) {
    return new InvalidFilter('# is not a level of its own at the end of the topic filter [MQTT-4.7.1-1]');
  }
  // [MQTT-4.7.1-2] + fills its level
  for (let plus = path.indexOf('+'); plus !== -1; plus = path.indexOf('+', plus + 1)) {
    if (!isLevelStart(path, plus) || (plus + 1 < path.length && path.charCodeAt(plus + 1) !== 0x2f)) {
      return new InvalidFilter('+ does not fill a whole level of the topic filter [MQTT-4.7.1-2]');
    }
  }
  return new TopicFilter(filter, shareName, path);
}

function isLevelStart(path: string, at: number): boolean {
  return at === 0 || path.charCodeAt(at - 1) === 0x2f;
}
