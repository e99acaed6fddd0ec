/**
 * The rules for a topic name: what a PUBLISH or a Will may be sent to. Called once per name that is not known yet, never
 * per message. Nothing is normalised: two names are the same topic if their characters are [MQTT-4.7.3-4].
 */
import { countLevels, describeInvalidTopicText } from './topic-text.js';

/**
 * @param maximumLevels most levels that the broker allows
 * @param maximumCharacters the longest name that it allows
 * @returns what is wrong with the name, with the clause; undefined if it is valid
 */
export function validateTopicName(
  topic: string,
  maximumLevels: number,
  maximumCharacters = Number.POSITIVE_INFINITY,
): string | undefined {
  const invalidText = describeInvalidTopicText('Topic name', topic);
  if (invalidText !== undefined) return invalidText;
  // [MQTT-4.7.0-1] wildcards stand in filters only
  if (topic.includes('+') || topic.includes('#')) return 'Topic name contains a wildcard [MQTT-4.7.0-1]';
  if (countLevels(topic) > maximumLevels) return `Topic name has more than ${maximumLevels} levels`;
  if (topic.length > maximumCharacters) return `Topic name has more than ${maximumCharacters} characters`;
  return undefined;
}

/** Topics that the broker keeps for itself and that no filter reaches whose first level is a wildcard [MQTT-4.7.2-1]. */
export function startsWithDollar(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24;
}
