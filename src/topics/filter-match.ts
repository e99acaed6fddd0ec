/** Whether one filter matches one topic: for the few places that do not ask the index. */
import { startsWithDollar } from './topic-name.js';
import { levelEnd } from './topic-text.js';

/** @param path of a valid filter, see {@link TopicFilter.path} @param topic a valid topic name */
export function matchesTopic(path: string, topic: string): boolean {
  // [MQTT-4.7.2-1] a wildcard as the first level does not match a topic that begins with $
  if (startsWithDollar(topic) && !startsWithDollar(path)) return false;
  let inPath = 0;
  let inTopic = 0;
  for (;;) {
    // [MQTT-4.7.1-1] # stands for the level before it too: a/# matches a
    if (path[inPath] === '#') return true;
    if (inTopic > topic.length) return false;
    const pathEnd = levelEnd(path, inPath);
    const topicEnd = levelEnd(topic, inTopic);
    const isPlus = pathEnd - inPath === 1 && path[inPath] === '+';
    if (!isPlus && path.slice(inPath, pathEnd) !== topic.slice(inTopic, topicEnd)) return false;
    inPath = pathEnd + 1;
    inTopic = topicEnd + 1;
    if (inPath > path.length) return inTopic > topic.length;
  }
}
