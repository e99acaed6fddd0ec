/**
 * Messages wait while their subscriptions are replaced: by others with and without identifier and stream, which are objects
 * of other classes. Each comes as its subscriptions ask when its turn comes.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Qos } from '../../../src/core/message.js';
import { BrokerParts } from '../../support/broker-parts.js';
import { naivelyMatches } from '../../support/naive-matcher.js';
import { PartsClient } from '../../support/parts-client.js';

interface Terms {
  readonly filter: string;
  readonly qos: Qos;
  readonly identifier: number;
  readonly retainAsPublished: boolean;
}

interface Copy {
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
}

interface Waiting {
  readonly payload: string;
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
}

type Step =
  | ({ readonly kind: 'subscribe' } & Terms)
  | { readonly kind: 'unsubscribe'; readonly filter: string }
  | { readonly kind: 'publish'; readonly topic: string; readonly qos: 1 | 2; readonly retain: boolean };

/** What is subscribed to, with the messages that wait for it; null if it is at QoS 0, and has always been. */
type Subscribed = Terms & { readonly waiting: Set<Waiting> | null };

class Model {
  readonly #subscribed = new Map<string, Subscribed>();
  readonly #waiting: Waiting[] = [];

  subscribe(terms: Terms): void {
    const waiting = this.#subscribed.get(terms.filter)?.waiting ?? (terms.qos > 0 ? new Set<Waiting>() : null);
    this.#subscribed.set(terms.filter, { ...terms, waiting });
  }

  unsubscribe(filter: string): void {
    this.#subscribed.delete(filter);
  }

  publish(message: Waiting): void {
    const matching = this.#matching(message);
    if (matching.every(({ qos }) => qos === 0)) return;
    this.#waiting.push(message);
    for (const { waiting } of matching) waiting?.add(message);
  }

  /** What comes of those that had to wait. */
  get copies(): Copy[] {
    return this.#waiting.flatMap((message) => {
      const through = this.#matching(message).filter(({ waiting }) => waiting?.has(message) === true);
      if (through.length === 0) return [];
      const overlapping = [...through, ...this.#matching(message).filter(({ waiting }) => waiting === null)];
      return {
        payload: message.payload,
        qos: Math.min(message.qos, Math.max(...through.map(({ qos }) => qos))),
        retain: message.retain && through.some(({ retainAsPublished }) => retainAsPublished),
        identifiers: sorted(overlapping.map(({ identifier }) => identifier).filter((identifier) => identifier > 0)),
      };
    });
  }

  #matching({ topic }: Waiting): Subscribed[] {
    return [...this.#subscribed.values()].filter(({ filter }) => naivelyMatches(filter, topic));
  }
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((one, other) => one - other);
}

const filter = fc.constantFrom('a', 'b', '+', '#', 'a/b', 'a/#', '+/b');
const subscribe = fc.record({
  kind: fc.constant('subscribe' as const),
  filter,
  qos: fc.constantFrom<Qos>(0, 0, 1, 2),
  identifier: fc.constantFrom(0, 0, 1, 2, 3),
  retainAsPublished: fc.boolean(),
});
const publish = fc.record({
  kind: fc.constant('publish' as const),
  topic: fc.constantFrom('a', 'b', 'a/b', 'c'),
  qos: fc.constantFrom<1 | 2>(1, 2),
  retain: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: subscribe },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), filter }) },
  { weight: 5, arbitrary: publish },
);

it('messages that wait come as their subscriptions ask by then, whatever these have replaced', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.array(filter),
      fc.boolean(),
      async (steps, read, crashes) => {
        let parts = new BrokerParts({ cacheBytes: 0 });
        const model = new Model();
        // Others wait for some of the same messages.
        const other = new PartsClient(parts, 'other');
        for (const one of read) parts.subscribe(other.session, one);
        other.disconnect();
        let client = new PartsClient(parts, 'client', { receiveMaximum: 1 });
        // Its window is full from now on.
        parts.subscribe(client.session, 'first');
        parts.publish({ topic: 'first', payload: 'first', qos: 1 });
        client.settle();
        parts.unsubscribe(client.session, 'first');
        for (const [number, one] of steps.entries()) {
          if (one.kind === 'subscribe') {
            model.subscribe(one);
            parts.subscribe(client.session, one.filter, one);
          } else if (one.kind === 'unsubscribe') {
            model.unsubscribe(one.filter);
            parts.unsubscribe(client.session, one.filter);
          } else {
            const message = { ...one, payload: `${number}` };
            model.publish(message);
            parts.publish(message);
          }
          client.settle();
        }
        if (crashes) {
          parts.store.committer.flush();
          parts = await parts.crash();
          client = new PartsClient(parts, 'client', { receiveMaximum: 1 });
        }
        const wanted = model.copies;
        const mustWait = new Set(wanted.map(({ payload }) => payload));
        const first = client.take();
        client.acknowledge(first);
        const come = [...first, ...(await client.drain())].map(
          ({ payload, qos, retain, identifiers }): Copy => ({
            payload,
            qos,
            retain,
            identifiers: sorted(identifiers ?? []),
          }),
        );
        // What is asked for at QoS 0 need not wait, but may if others wait for it.
        expect(come.filter(({ payload }) => mustWait.has(payload))).toEqual(wanted);
      },
    ),
    { numRuns: 100 },
  );
});
