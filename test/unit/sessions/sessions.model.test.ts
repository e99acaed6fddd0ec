/**
 * Sessions, streams, router, log and restart as one, under random operations and crashes: no QoS 1 or 2 message that was
 * acknowledged is lost, at QoS 2 none comes twice, the order is kept, and the accounts are right after every step.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Qos } from '../../../src/core/message.js';
import { BrokerParts, type PartsOptions } from '../../support/broker-parts.js';
import { ModelClient } from '../../support/model-client.js';

const TOPICS = ['a', 'b', 'a/b'];
const FILTERS = ['a', 'b', '+', '#', 'a/#', 'a/b', '$share/g/a', '$share/g/#', '$share/h/+'];
/** The last one ends with its connection. */
const CLIENTS: readonly (readonly [string, number])[] = [
  ['one', 1000],
  ['two', 1000],
  ['three', 1000],
  ['clean', 0],
];

interface PublishStep {
  readonly kind: 'publish';
  readonly topic: string;
  readonly qos: Qos;
  /** Index of the client that publishes, or -1 for nobody. */
  readonly publisher: number;
  readonly bytes: number;
  readonly times: number;
}

type Step =
  | PublishStep
  | { readonly kind: 'connect'; readonly client: number; readonly clean: boolean; readonly receiveMaximum: number }
  | { readonly kind: 'disconnect'; readonly client: number }
  | {
      readonly kind: 'subscribe';
      readonly client: number;
      readonly filter: string;
      readonly qos: Qos;
      readonly noLocal: boolean;
    }
  | { readonly kind: 'unsubscribe'; readonly client: number; readonly filter: string }
  | { readonly kind: 'answer'; readonly client: number; readonly count: number }
  | { readonly kind: 'room'; readonly client: number; readonly hasRoom: boolean }
  | { readonly kind: 'settle'; readonly groups: number }
  | { readonly kind: 'commit' | 'lazy' | 'hold reads' | 'release reads' | 'crash' };

class World {
  parts: BrokerParts;
  readonly clients: ModelClient[];
  /** Messages that wait to be acknowledged to their publishers: ticket and number. */
  #unacknowledged: [ticket: number, id: number][] = [];
  /** Messages of level memory. */
  readonly #inMemory = new Set<number>();
  readonly #memoryTopics: readonly string[];
  #lastId = 0;
  /** Messages that found a queue full, in all processes. */
  refused = 0;

  constructor(options: PartsOptions) {
    this.#memoryTopics = options.memoryTopics ?? [];
    this.parts = new BrokerParts(options);
    this.clients = CLIENTS.map(([clientId, expiry]) => new ModelClient(clientId, expiry, this.parts));
    this.#listen();
  }

  async run(step: Step): Promise<void> {
    await this.#do(step);
    await turn();
    this.check();
  }

  async #do(step: Step): Promise<void> {
    const { parts } = this;
    const client = 'client' in step ? (this.clients[step.client] as ModelClient) : undefined;
    switch (step.kind) {
      case 'publish':
        for (let i = 0; i < step.times; i++) this.#publish(step);
        break;
      case 'connect':
        client?.connect(step.clean, step.receiveMaximum);
        break;
      case 'disconnect':
        client?.disconnect();
        break;
      case 'subscribe':
        client?.subscribe(step.filter, step.qos, step.noLocal && !step.filter.startsWith('$share'));
        break;
      case 'unsubscribe':
        client?.unsubscribe(step.filter);
        break;
      case 'answer':
        client?.answer(step.count);
        break;
      case 'room':
        client?.setRoom(step.hasRoom);
        break;
      case 'commit':
        parts.store.committer.commit();
        break;
      case 'settle':
        parts.store.committer.settle(step.groups);
        break;
      case 'lazy':
        parts.store.storeLazyStates();
        break;
      case 'hold reads':
        parts.store.blocks.holdReads();
        break;
      case 'release reads':
        parts.store.blocks.releaseReads();
        break;
      case 'crash':
        await this.#crash();
    }
  }

  check(): void {
    const { parts } = this;
    for (const client of this.clients) expect(client.failures).toEqual([]);
    expect(parts.accounting.missing).toBe(0);
    expect(parts.log.waitingBytes).toBeGreaterThanOrEqual(0);
    for (const session of parts.sessions) {
      expect(session.queuedMessages, `waiting for ${session.clientId}`).toBeGreaterThanOrEqual(0);
      expect(session.queuedBytes).toBeGreaterThanOrEqual(0);
    }
    expect([parts.store.damaged, parts.drops.of('storage-damaged')]).toEqual([0, 0]);
  }

  /** Everybody comes back, takes everything, and acknowledges it. */
  async drain(): Promise<void> {
    this.parts.store.blocks.releaseReads();
    for (const client of this.clients) client.connect(false, 50);
    for (let round = 0; ; round++) {
      expect(round, 'something is stuck').toBeLessThan(500);
      let answered = 0;
      for (const client of this.clients) answered += client.answer(Number.POSITIVE_INFINITY);
      await turn();
      this.parts.store.committer.flush();
      this.check();
      if (answered === 0 && this.parts.accounting.waiting === 0) break;
    }
  }

  /** What was promised, and has not come. */
  get missing(): string[] {
    return this.clients.flatMap((client) => client.missing);
  }

  #publish({ topic, qos, publisher, bytes }: PublishStep): void {
    const client = this.clients[publisher];
    const session = client?.isConnected === true ? client.session : null;
    const id = ++this.#lastId;
    const ticket = this.parts.publish({ topic, qos, publisher: session, payload: `${id}.`.padEnd(bytes, '.') });
    if (qos > 0) this.#unacknowledged.push([ticket, id]);
    if (this.#memoryTopics.includes(topic)) this.#inMemory.add(id);
  }

  async #crash(): Promise<void> {
    const { settledTicket } = this.parts.store;
    this.refused += refusedIn(this.parts);
    const unsettled = this.#unacknowledged.filter(([ticket]) => ticket > settledTicket);
    const lost = new Set([...unsettled.map(([, id]) => id), ...this.#inMemory]);
    this.#unacknowledged = [];
    this.parts = await this.parts.crash();
    for (const client of this.clients) client.onCrash(this.parts, lost);
    this.#listen();
  }

  #listen(): void {
    const { store } = this.parts;
    store.onSettled(() => {
      this.#unacknowledged = this.#unacknowledged.filter(([ticket]) => ticket > store.settledTicket);
      for (const client of this.clients) client.onSettled();
    });
  }
}

/** Messages that found a queue full, or all together. */
function refusedIn({ drops }: BrokerParts): number {
  return drops.of('queue-full') + drops.of('session-queues-full');
}

/** Lets what has been read arrive. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const client = fc.nat(CLIENTS.length - 1);
const filter = fc.constantFrom(...FILTERS);
const qos = fc.constantFrom<Qos>(0, 1, 1, 2, 2);

function stepArbitrary(withCrashes: boolean): fc.Arbitrary<Step> {
  const kind = <K extends string>(name: K) => fc.constant(name);
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: kind('publish'),
        topic: fc.constantFrom(...TOPICS),
        qos,
        publisher: fc.integer({ min: -1, max: CLIENTS.length - 1 }),
        bytes: fc.constantFrom(0, 0, 3000),
        times: fc.constantFrom(1, 1, 1, 3, 12),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: kind('connect'),
        client,
        clean: fc.constantFrom(false, false, false, false, true),
        receiveMaximum: fc.constantFrom(1, 2, 3, 20),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: kind('disconnect'), client }) },
    { weight: 8, arbitrary: fc.record({ kind: kind('subscribe'), client, filter, qos, noLocal: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: kind('unsubscribe'), client, filter }) },
    { weight: 10, arbitrary: fc.record({ kind: kind('answer'), client, count: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: kind('room'), client, hasRoom: fc.boolean() }) },
    { weight: 5, arbitrary: fc.record({ kind: kind('commit') }) },
    { weight: 5, arbitrary: fc.record({ kind: kind('settle'), groups: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('lazy') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('hold reads' as const, 'release reads' as const) }) },
    { weight: withCrashes ? 1 : 0, arbitrary: fc.record({ kind: kind('crash') }) },
  );
}

/** Everybody is there, and has subscribed to something. */
function beginning(filters: readonly string[]): Step[] {
  return CLIENTS.flatMap((_, at): Step[] => [
    { kind: 'connect', client: at, clean: false, receiveMaximum: 2 },
    { kind: 'subscribe', client: at, filter: filters[at] ?? '#', qos: 2, noLocal: false },
  ]);
}

async function play(options: PartsOptions, steps: readonly Step[]): Promise<World> {
  const world = new World(options);
  for (const step of steps) await world.run(step);
  await world.drain();
  return world;
}

const beginningArbitrary = fc.array(filter, { minLength: CLIENTS.length, maxLength: CLIENTS.length }).map(beginning);
const storeArbitrary = fc.record({
  cacheBytes: fc.constantFrom(0, 20_000, 1 << 20),
  memoryTopics: fc.constantFrom([], [], ['b'], TOPICS),
});

function scenario(withCrashes: boolean) {
  const steps = fc.array(stepArbitrary(withCrashes), { maxLength: 150, size: 'max' });
  return fc.tuple(beginningArbitrary, steps).map(([first, then]) => [...first, ...then]);
}

/** Shrinking what has failed takes its time. */
const TIMEOUT = { timeout: 120_000 };
const RUNS = { numRuns: Number(process.env['MODEL_RUNS'] ?? 60) };

describe('the sessions of a broker', () => {
  it.each([false, true])(
    'lose nothing and repeat nothing that they may not (with crashes: %s)',
    TIMEOUT,
    async (withCrashes) => {
      await fc.assert(
        fc.asyncProperty(scenario(withCrashes), storeArbitrary, async (steps, options) => {
          const world = await play(options, steps);
          expect(world.missing).toEqual([]);
          expect([world.parts.log.messages, world.parts.log.waitingBytes]).toEqual([0, 0]);
        }),
        RUNS,
      );
    },
  );

  const limitsArbitrary = fc.record({
    maximumMessages: fc.integer({ min: 1, max: 10 }),
    maximumBytes: fc.constantFrom(2000, 5000, 20_000),
    maximumTotalBytes: fc.constantFrom(Number.POSITIVE_INFINITY, 3000, 12_000),
    dropOldestWhenFull: fc.boolean(),
    store: storeArbitrary,
  });

  it.each([false, true])(
    'miss no more than what they refuse when they are full (with crashes: %s)',
    TIMEOUT,
    async (withCrashes) => {
      await fc.assert(
        fc.asyncProperty(scenario(withCrashes), limitsArbitrary, async (steps, { store, ...limits }) => {
          const world = await play({ ...store, ...limits }, steps);
          expect(world.missing.length).toBeLessThanOrEqual(world.refused + refusedIn(world.parts));
          expect([world.parts.log.messages, world.parts.log.waitingBytes]).toEqual([0, 0]);
        }),
        RUNS,
      );
    },
  );
});
