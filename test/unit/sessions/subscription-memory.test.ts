import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Subscriber } from '../../../src/core/subscriber.js';
import { SubscriptionList } from '../../../src/sessions/subscription-list.js';
import { TopicIndex } from '../../../src/topics/topic-index.js';
import { subscriptionOf } from '../../support/subscriptions.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Nearly as many as fit into tables of 32,768, so that hardly anything of these is empty. */
const DEVICES = 32_000;
const DEVICES_OF_A_SESSION = 3200;

/** After two collections: the first leaves what only waited for it. */
function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

it('takes no more than 168 bytes for a subscription, in the index and in its session', () => {
  const index = new TopicIndex<Subscriber>();
  const sessions: { list: SubscriptionList; subscriber: Subscriber }[] = [];
  const before = heapBytes();
  for (let device = 0; device < DEVICES; device++) {
    if (device % DEVICES_OF_A_SESSION === 0) {
      sessions.push({ list: new SubscriptionList(), subscriber: {} as Subscriber });
    }
    const { list, subscriber } = sessions.at(-1) as (typeof sessions)[number];
    for (const level of ['data', '+', '#']) {
      // As it comes from the wire: in memory of its own.
      const text = Buffer.from(`bench/device-${device}/${level}`).toString();
      const subscription = subscriptionOf(subscriber, text);
      list.add(subscription, index.subscribe(subscription));
    }
  }
  const bytes = heapBytes() - before;
  expect(index.subscriptionCount).toBe(3 * DEVICES);
  expect(sessions.reduce((count, { list }) => count + list.count, 0)).toBe(3 * DEVICES);
  expect(bytes / (3 * DEVICES)).toBeLessThan(168);
});
