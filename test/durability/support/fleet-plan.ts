/** Who takes part in a run: every kind of session whose state a broker has to bring through a crash. */
import type { PublisherPlan } from './publisher.js';
import type { RetainedPublisherPlan } from './retained-publisher.js';
import type { SubscriberPlan } from './subscriber.js';
import type { WillPlan } from './will-client.js';

const DAY_SECONDS = 86_400;
/** Expires between two rounds; the other one must come through. */
const EXPIRIES_SECONDS = [1, 3600];

export const PUBLISHERS: readonly PublisherPlan[] = [
  { clientId: 'p-old-1', version: 4, window: 10, qos: [1], topics: 2, isSubscribed: true },
  { clientId: 'p-old-2', version: 4, window: 10, qos: [2], topics: 2, isSubscribed: true, comesAndGoes: true },
  { clientId: 'p-new-1', version: 5, window: 50, qos: [1], topics: 3, isSubscribed: true, comesAndGoes: true },
  { clientId: 'p-new-2', version: 5, window: 30, qos: [2], topics: 3, isSubscribed: true },
  { clientId: 'p-slow', version: 5, window: 1, qos: [1, 2], topics: 1, isSubscribed: true },
  {
    clientId: 'p-expiring',
    version: 5,
    window: 10,
    qos: [1, 2],
    topics: 2,
    isSubscribed: true,
    expirySeconds: EXPIRIES_SECONDS,
  },
  { clientId: 'p-bare', version: 5, window: 5, qos: [1, 2], topics: 2, isSubscribed: false },
];

export const RETAINED_PUBLISHERS: readonly RetainedPublisherPlan[] = [
  { clientId: 'r-old', version: 4, qos: 1, window: 5, topics: 12 },
  { clientId: 'r-new', version: 5, qos: 2, window: 5, topics: 12 },
];

const all = (qos: 1 | 2) => [{ filter: 'data/#', qos }] as const;

/** The highest QoS of what matches decides [MQTT-3.3.4-2]; one copy serves all of them. */
const overlapping = [
  { filter: 'data/#', qos: 1 },
  { filter: 'data/+/1', qos: 2 },
  { filter: 'data/p-new-2/+', qos: 2 },
] as const;

export const SUBSCRIBERS: readonly SubscriberPlan[] = [
  { clientId: 's-old-1', version: 4, filters: all(1), habit: 'stays' },
  { clientId: 's-new-2', version: 5, filters: all(2), habit: 'stays' },
  { clientId: 's-overlap', version: 5, filters: overlapping, habit: 'stays', heldAnswers: 3 },
  { clientId: 's-goes-1', version: 5, filters: all(1), habit: 'comes and goes', receiveMaximum: 20, heldAnswers: 5 },
  { clientId: 's-goes-2', version: 4, filters: all(2), habit: 'comes and goes' },
  {
    clientId: 's-goes-narrow',
    version: 5,
    filters: all(2),
    habit: 'comes and goes',
    receiveMaximum: 5,
    heldAnswers: 2,
  },
  { clientId: 's-away-1', version: 4, filters: all(1), habit: 'stays away' },
  { clientId: 's-away-2', version: 5, filters: all(2), habit: 'stays away', receiveMaximum: 100, heldAnswers: 10 },
  { clientId: 's-away-overlap', version: 5, filters: overlapping, habit: 'stays away' },
  ...['a', 'b', 'c'].map(
    (letter): SubscriberPlan => ({
      clientId: `g2-${letter}`,
      version: letter === 'c' ? 4 : 5,
      filters: [{ filter: '$share/g2/data/#', qos: 2 }],
      habit: letter === 'b' ? 'comes and goes' : 'stays',
      group: 'group g2',
      heldAnswers: letter === 'a' ? 3 : 0,
    }),
  ),
  ...['a', 'b'].map(
    (letter): SubscriberPlan => ({
      clientId: `g1-${letter}`,
      version: 5,
      filters: [{ filter: '$share/g1/data/#', qos: 1 }],
      habit: letter === 'b' ? 'stays away' : 'comes and goes',
      group: 'group g1',
    }),
  ),
  { clientId: 's-wills-2', version: 5, filters: [{ filter: 'will/#', qos: 2 }], habit: 'stays' },
  { clientId: 's-wills-1', version: 4, filters: [{ filter: 'will/#', qos: 1 }], habit: 'stays away' },
];

/** Its subscriptions come and go while messages flow. */
export const CHANGING = {
  clientId: 's-changes',
  version: 5,
  filters: ['data/+/0', 'data/+/1', 'data/p-new-1/#'],
} as const;

export const WILLS: readonly WillPlan[] = [
  { clientId: 'w-old', version: 4, sessionExpirySeconds: DAY_SECONDS, qos: 1, fate: 'cut' },
  { clientId: 'w-new', version: 5, sessionExpirySeconds: DAY_SECONDS, qos: 2, delaySeconds: 0, fate: 'cut' },
  { clientId: 'w-late', version: 5, sessionExpirySeconds: DAY_SECONDS, qos: 2, delaySeconds: 1, fate: 'cut' },
  { clientId: 'w-bare', version: 5, sessionExpirySeconds: 0, qos: 1, fate: 'cut' },
  { clientId: 'w-dies', version: 5, sessionExpirySeconds: DAY_SECONDS, qos: 1, delaySeconds: 1, fate: 'dies' },
  { clientId: 'w-returns', version: 5, sessionExpirySeconds: DAY_SECONDS, qos: 1, delaySeconds: 3600, fate: 'returns' },
];
