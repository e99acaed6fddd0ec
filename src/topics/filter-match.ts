/** Whether one filter matches one topic: for the few places that do not ask the index, and for what stands alone in it. */
import { startsWithDollar } from './topic-name.js';
import { levelEnd } from './topic-text.js';

/** @param path of a valid filter, see {@link TopicFilter.path} @param topic a valid topic name */
export function matchesTopic(path: string, topic: string): boolean {
  // [MQTT-4.7.2-1] a wildcard as the first level does not match a topic that begins with $
  if (startsWithDollar(topic) && !startsWithDollar(path)) return false;
  return matchesRest(path, 0, topic, 0);
}

/**
 * Whether they agree from a level of each on.
 *
 * @param pathStart where the level of the filter begins; behind its end by one if there is none left
 * @param topicStart the same in the topic
 */
export function matchesRest(path: string, pathStart: number, topic: string, topicStart: number): boolean {
  let inPath = pathStart;
  let inTopic = topicStart;
  for (;;) {
    if (inPath > path.length) return inTopic > topic.length;
    // [MQTT-4.7.1-1] # stands for the level before it too: a/# matches a
    if (path[inPath] === '#') return true;
    if (inTopic > topic.length) return false;
    const topicEnd = levelEnd(topic, inTopic);
    const length = topicEnd - inTopic;
    const pathEnd = levelEnd(path, inPath);
    const isPlus = pathEnd - inPath === 1 && path[inPath] === '+';
    if (!isPlus && !(pathEnd - inPath === length && isSame(path, inPath, topic, inTopic, length))) return false;
    inPath = pathEnd + 1;
    inTopic = topicEnd + 1;
  }
}

function isSame(one: string, inOne: number, other: string, inOther: number, length: number): boolean {
  for (let at = 0; at < length; at++) {
    if (one.charCodeAt(inOne + at) !== other.charCodeAt(inOther + at)) return false;
  }
  return true;
}
