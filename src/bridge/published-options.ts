/**
 * How a message goes into the queue that it was published to: its publisher says so by User Properties, as `q-group`. What is no value
 * that the queue could take counts as not given.
 */
import type { Message } from '../core/message.js';
import type { EnqueueOptions } from '../queues/intake.js';
import { numberOf } from './condition.js';
import { findUserProperty } from './property-reader.js';

const LONGEST_DELAY_SECONDS = 366 * 86_400;
const HIGHEST_PRIORITY = 9;

export function publishedOptions(message: Message): EnqueueOptions {
  const options: { -readonly [Key in keyof EnqueueOptions]: EnqueueOptions[Key] } = {};
  if (message.propertiesStart === message.propertiesEnd) return options;
  const group = findUserProperty(message, 'q-group');
  const key = findUserProperty(message, 'q-key');
  const deduplicationId = findUserProperty(message, 'q-deduplication-id');
  const priority = numberOf(findUserProperty(message, 'q-priority'));
  const delaySeconds = numberOf(findUserProperty(message, 'q-delay'));
  if (group !== undefined) options.group = group;
  if (key !== undefined) options.key = key;
  if (deduplicationId !== undefined && deduplicationId !== '') options.deduplicationId = deduplicationId;
  if (Number.isInteger(priority) && priority >= 0 && priority <= HIGHEST_PRIORITY) options.priority = priority;
  if (delaySeconds >= 0) options.delayMs = Math.round(Math.min(delaySeconds, LONGEST_DELAY_SECONDS) * 1000);
  return options;
}
