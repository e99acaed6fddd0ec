/** Tags of a queue, kept in its annotations. */
import type { QueueOptions } from '../../queues/queue-options.js';
import { SqsError } from './sqs-error.js';

type Annotations = QueueOptions['annotations'];

const ANNOTATION = 'tag.';
const MOST_TAGS = 50;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;

export function tagsOf(annotations: Annotations): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(annotations)
      .filter(([name]) => name.startsWith(ANNOTATION))
      .map(([name, value]) => [name.slice(ANNOTATION.length), value]),
  );
}

/** @throws SqsError */
export function withTags(annotations: Annotations, tags: ReadonlyMap<string, string>): Annotations {
  for (const [key, value] of tags) {
    if (key.length === 0 || key.length > LONGEST_KEY || value.length > LONGEST_VALUE) {
      const message = `A tag has a key of 1 to ${LONGEST_KEY} characters and a value of up to ${LONGEST_VALUE}.`;
      throw new SqsError('InvalidParameterValueException', message);
    }
  }
  const all = { ...annotations, ...Object.fromEntries([...tags].map(([key, value]) => [ANNOTATION + key, value])) };
  if (tagsOf(all).size > MOST_TAGS) {
    throw new SqsError('InvalidParameterValueException', `A queue has at most ${MOST_TAGS} tags.`);
  }
  return all;
}

export function withoutTags(annotations: Annotations, keys: readonly string[]): Annotations {
  const gone = new Set(keys.map((key) => ANNOTATION + key));
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !gone.has(name)));
}
