/**
 * The topics below `$queue`, by which MQTT clients reach work queues. They lead to no subscription and to no retained message.
 *
 *   $queue/<name>             subscribe: take messages, under the topics that they were published to; publish: put one in
 *   $queue/<name>/#           subscribe: take messages, under `$queue/<name>/<topic>`
 *   $queue/<name>/$envelope   subscribe: take messages with all that is known of them, as JSON
 *   $queue/<name>/$ctl        publish: say what has become of one
 */

const ROOT = '$queue';
const PREFIX = `${ROOT}/`;

const CONTROL_LEVEL = '$ctl';
const ENVELOPE_LEVEL = '$envelope';

/** In what form a consumer gets messages. */
export type DeliveryForm = 'plain' | 'prefixed' | 'envelope';

const FORM_BY_SUFFIX: ReadonlyMap<string | undefined, DeliveryForm> = new Map([
  [undefined, 'plain'],
  ['#', 'prefixed'],
  [ENVELOPE_LEVEL, 'envelope'],
]);

export interface QueueFilter {
  readonly queue: string;
  readonly form: DeliveryForm;
}

/** Whether the topic name or filter stands below `$queue`, well-formed or not. */
export function isQueueTopic(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && (topic === ROOT || topic.startsWith(PREFIX));
}

/** @returns null for what names no queue, or asks for no form that there is */
export function parseQueueFilter(filter: string): QueueFilter | null {
  const [queue = '', suffix, ...more] = filter.slice(PREFIX.length).split('/');
  const form = FORM_BY_SUFFIX.get(suffix);
  if (!filter.startsWith(PREFIX) || form === undefined || more.length > 0 || /^$|[+#]/.test(queue)) return null;
  return { queue, form };
}

export function topicOfQueue(queue: string): string {
  return PREFIX + queue;
}

/** Of messages in envelopes: what was subscribed to. */
export function envelopeTopicOf(queue: string): string {
  return `${PREFIX}${queue}/${ENVELOPE_LEVEL}`;
}

/** @returns the name of the queue that a message on this topic goes into, or null if it names none */
export function queueOfTopic(topic: string): string | null {
  const queue = topic.slice(PREFIX.length);
  return topic.startsWith(PREFIX) && queue !== '' && !queue.includes('/') ? queue : null;
}

/** @returns the name of the queue whose control topic this is, or null if it is none */
export function queueOfControlTopic(topic: string): string | null {
  const suffix = `/${CONTROL_LEVEL}`;
  return topic.endsWith(suffix) ? queueOfTopic(topic.slice(0, -suffix.length)) : null;
}
