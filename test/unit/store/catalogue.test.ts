import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreClosed } from '../../../src/core/errors.js';
import type { Message } from '../../../src/core/message.js';
import { Catalogue } from '../../../src/store/catalogue.js';
import type { StoredSession, StoredSubscription, StoredWill } from '../../../src/store/catalogue-records.js';
import { CommittedLevel } from '../../../src/store/committed-level.js';
import { copyAsAfterCrash } from '../../support/crash-copy.js';
import { FaultyLevel } from '../../support/faulty-level.js';
import { ManualClock } from '../../support/manual-clock.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';
import { testMessage } from '../../support/test-message.js';

const OPTIONS = { clock: new ManualClock(), maximumPendingBytes: 1_000_000, minimumFreeBytes: 0 };

/** Counts what is put, on top. */
class CountingLevel extends FaultyLevel {
  readonly puts: string[] = [];

  override putNow(key: string, value: Buffer, isSynced?: boolean): number {
    this.puts.push(key);
    return super.putNow(key, value, isSynced);
  }
}

async function openCatalogue(): Promise<{ catalogue: Catalogue; level: CountingLevel; clock: ManualClock }> {
  const clock = new ManualClock();
  const level = new CountingLevel(join(await createTemporaryDirectory(), 'store'), { ...OPTIONS, clock });
  await level.open();
  onTestFinished(() => level.close().catch(() => {}));
  const catalogue = new Catalogue(level);
  level.setContributor(catalogue);
  return { catalogue, level, clock };
}

interface Content {
  readonly sessions: StoredSession[];
  readonly states: [number, string][];
  readonly subscriptions: [string, StoredSubscription][];
  readonly wills: [string, { message: object; delaySeconds: number }][];
  readonly retained: object[];
  readonly damaged: number;
}

/** What a process killed now would load at its next start. */
async function loadAfterCrash(level: CommittedLevel): Promise<Content> {
  const copy = join(await createTemporaryDirectory(), 'copy');
  await copyAsAfterCrash(level.location, copy);
  const next = new CommittedLevel(copy, OPTIONS);
  await next.open();
  const content: Omit<Content, 'damaged'> = { sessions: [], states: [], subscriptions: [], wills: [], retained: [] };
  const { damaged } = await new Catalogue(next).load({
    onSession: (session) => content.sessions.push(session),
    onState: (number, bytes) => content.states.push([number, bytes.toString('latin1')]),
    onSubscription: (clientId, subscription) => content.subscriptions.push([clientId, subscription]),
    onWill: (clientId, { message, delaySeconds }) =>
      content.wills.push([clientId, { message: contentOf(message), delaySeconds }]),
    onRetained: (message) => content.retained.push(contentOf(message)),
  });
  await next.close();
  return { ...content, damaged };
}

const EMPTY: Content = { sessions: [], states: [], subscriptions: [], wills: [], retained: [], damaged: 0 };

/** Everything that a message says, wherever its bytes are. */
function contentOf(message: Message): object {
  return {
    topic: message.topic,
    topicBytes: message.bytes.toString('latin1', message.topicStart, message.topicEnd),
    properties: message.properties.toString('latin1'),
    payload: message.payload.toString('latin1'),
    qos: message.qos,
    retain: message.retain,
    publisherId: message.publisherId,
    arrivedAtMs: message.arrivedAtMs,
    expiresAtMs: message.expiresAtMs,
    expiry: message.expiryOffset === -1 ? null : message.bytes.readUInt32BE(message.expiryOffset),
  };
}

function session(clientId: string, number = 1): StoredSession {
  return { clientId, number, expirySeconds: 0xffffffff, disconnectedAtMs: 1_800_000_000_123 };
}

function subscription(filter: string, changes: Partial<StoredSubscription> = {}): StoredSubscription {
  return {
    filter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    identifier: 0,
    streamId: 0,
    sinceSequence: 0,
    ...changes,
  };
}

const telling = testMessage({
  topic: 'a/b',
  payload: Buffer.from([0, 255, 1]),
  qos: 2,
  retain: true,
  publisherId: 'p',
  nowMs: 1_800_000_000_000,
  payloadFormatIndicator: 1,
  messageExpiryInterval: 77,
  userProperties: [
    ['b', '1'],
    ['a', '2'],
    ['b', '3'],
  ],
});

describe('the catalogue', () => {
  it('is read as it was written', async () => {
    const { catalogue, level } = await openCatalogue();
    const odd = subscription('$share/g/a/#', {
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 2,
      identifier: 268_435_455,
      streamId: 2 ** 45,
      sinceSequence: 2 ** 52,
    });
    catalogue.sessionSaved(session('c', 7));
    catalogue.stateSaved(7, Buffer.from('seven'));
    catalogue.stateSaved(2 ** 41, Buffer.alloc(0));
    catalogue.subscriptionSaved('c', odd);
    catalogue.subscriptionSaved('c', subscription('a/+', { qos: 0 }));
    catalogue.willSaved('c', { message: telling, delaySeconds: 4_294_967_295 });
    catalogue.retainedSaved(telling);
    await level.flush();
    expect(await loadAfterCrash(level)).toEqual({
      sessions: [session('c', 7)],
      states: [
        [7, 'seven'],
        [2 ** 41, ''],
      ],
      subscriptions: [
        ['c', odd],
        ['c', subscription('a/+', { qos: 0 })],
      ],
      wills: [['c', { message: contentOf(telling), delaySeconds: 4_294_967_295 }]],
      retained: [contentOf(telling)],
      damaged: 0,
    });
    expect(contentOf(telling)).toMatchObject({ expiry: 77, expiresAtMs: 1_800_000_077_000 });
  });

  const verbs: [string, (catalogue: Catalogue) => number, keyof Content][] = [
    ['a session', (catalogue) => catalogue.sessionSaved(session('c')), 'sessions'],
    ['a state', (catalogue) => catalogue.stateSaved(1, Buffer.from('s')), 'states'],
    ['a subscription', (catalogue) => catalogue.subscriptionSaved('c', subscription('a')), 'subscriptions'],
    ['a will', (catalogue) => catalogue.willSaved('c', { message: telling, delaySeconds: 0 }), 'wills'],
    ['a retained message', (catalogue) => catalogue.retainedSaved(telling), 'retained'],
  ];

  it.each(verbs)('has %s on disk when its ticket is settled, and not before', async (_name, save, kind) => {
    const { catalogue, level } = await openCatalogue();
    level.hold();
    const ticket = save(catalogue);
    await nextTurn();
    await nextTurn();
    expect(level.settledTicket).toBeLessThan(ticket);
    expect(await loadAfterCrash(level)).toEqual(EMPTY);
    const settled = new Promise<void>((resolve) => {
      level.onSettled(() => {
        if (level.settledTicket >= ticket) resolve();
      });
    });
    level.release();
    await settled;
    expect((await loadAfterCrash(level))[kind]).toHaveLength(1);
  });

  it('forgets a session with its state and subscriptions, and nothing of those with similar names', async () => {
    const { catalogue, level } = await openCatalogue();
    const names = ['a', 'a:b', 'a%3Ab', 'ab', ''];
    for (const [number, clientId] of names.entries()) {
      catalogue.sessionSaved(session(clientId, number));
      catalogue.stateSaved(number, Buffer.from(clientId));
      catalogue.willSaved(clientId, { message: telling, delaySeconds: 1 });
      for (const filter of ['b', 'b:c', ':b']) catalogue.subscriptionSaved(clientId, subscription(filter));
    }
    const ticket = catalogue.sessionRemoved({ clientId: 'a', number: 0 }, new Set(['b', 'b:c', ':b']).keys());
    expect(ticket).toBe(level.openTicket);
    catalogue.subscriptionRemoved('a:b', 'b');
    catalogue.willRemoved('a:b');
    catalogue.sessionRemoved({ clientId: 'ab', number: 3 }, []);
    await level.flush();
    const { sessions, states, subscriptions, wills } = await loadAfterCrash(level);
    expect(sessions.map(({ clientId }) => clientId).sort()).toEqual(['', 'a%3Ab', 'a:b']);
    expect(states.map(([, name]) => name).sort()).toEqual(['', 'a%3Ab', 'a:b']);
    expect(wills.map(([clientId]) => clientId).sort()).toEqual(['', 'a', 'a%3Ab', 'ab']);
    expect(new Set(subscriptions.map(([clientId]) => clientId))).toEqual(new Set(['', 'a%3Ab', 'a:b', 'ab']));
    const left = subscriptions.filter(([clientId]) => clientId === 'a:b');
    expect(left.map(([, { filter }]) => filter)).toEqual([':b', 'b:c']);
  });

  it('overwrites what it has of the same name', async () => {
    const { catalogue, level } = await openCatalogue();
    for (const qos of [0, 1, 2] as const) {
      catalogue.sessionSaved({ ...session('c'), expirySeconds: qos });
      catalogue.subscriptionSaved('c', subscription('a', { qos }));
      await level.flush();
    }
    const { sessions, subscriptions } = await loadAfterCrash(level);
    expect(sessions).toEqual([{ ...session('c'), expirySeconds: 2 }]);
    expect(subscriptions).toEqual([['c', subscription('a', { qos: 2 })]]);
  });

  it('keeps any names that MQTT allows', async () => {
    // Not U+0000, which MQTT forbids, and no lone surrogates, which are not UTF-8.
    const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0'));
    const awkward = fc.constantFrom(':', '%', '/', '\uffff', '\ufeff', '%3A', 'é', '😀', ';', '__proto__');
    const name = fc.array(fc.oneof(text, awkward), { maxLength: 4 }).map((parts) => parts.join(''));
    const { catalogue, level } = await openCatalogue();
    await fc.assert(
      fc.asyncProperty(name, name, fc.uint8Array({ maxLength: 300 }), async (clientId, topic, payload) => {
        const message = testMessage({
          topic,
          publisherId: clientId,
          payload: Buffer.concat([Buffer.from(payload), Buffer.from('x')]),
          userProperties: [[topic, clientId]],
          retain: true,
        });
        const will: StoredWill = { message, delaySeconds: 5 };
        await level.clear();
        catalogue.sessionSaved(session(clientId));
        catalogue.subscriptionSaved(clientId, subscription(topic));
        catalogue.willSaved(clientId, will);
        catalogue.retainedSaved(message);
        await level.flush();
        expect(await loadAfterCrash(level)).toEqual({
          ...EMPTY,
          sessions: [session(clientId)],
          subscriptions: [[clientId, subscription(topic)]],
          wills: [[clientId, { message: contentOf(message), delaySeconds: 5 }]],
          retained: [contentOf(message)],
        });
        catalogue.sessionRemoved(session(clientId), [topic]);
        catalogue.willRemoved(clientId);
        catalogue.retainedRemoved(topic);
        await level.flush();
        expect(await level.keys().all()).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('keeps filters of any depth', async () => {
    const filters = ['a/'.repeat(99), 'a/'.repeat(100), 'a/'.repeat(127), '/'.repeat(65_535), '+/'.repeat(200)];
    const { catalogue, level } = await openCatalogue();
    for (const filter of filters) catalogue.subscriptionSaved('c', subscription(filter, { streamId: 2 ** 40 }));
    await level.flush();
    const { subscriptions } = await loadAfterCrash(level);
    const expected = filters.sort().map((filter) => ['c', subscription(filter, { streamId: 2 ** 40 })]);
    expect(subscriptions).toEqual(expected);
    for (const filter of filters) catalogue.subscriptionRemoved('c', filter);
    await level.flush();
    expect((await loadAfterCrash(level)).subscriptions).toEqual([]);
  });

  it('keeps names and payloads of the greatest length', async () => {
    const { catalogue, level } = await openCatalogue();
    const clientId = '\u20ac'.repeat(21_845);
    const topic = `${'\u00e9'.repeat(32_767)}x`;
    expect([Buffer.byteLength(clientId), Buffer.byteLength(topic)]).toEqual([65_535, 65_535]);
    const message = testMessage({ topic, publisherId: clientId, payload: Buffer.alloc(300_000, 1), retain: true });
    catalogue.sessionSaved(session(clientId));
    catalogue.subscriptionSaved(clientId, subscription(topic));
    catalogue.retainedSaved(message);
    await level.flush();
    const { sessions, subscriptions, retained } = await loadAfterCrash(level);
    expect(sessions).toEqual([session(clientId)]);
    expect(subscriptions).toEqual([[clientId, subscription(topic)]]);
    expect(retained).toEqual([contentOf(message)]);
  });

  it('records while the store is failing, and while it is being closed', async () => {
    const { catalogue, level, clock } = await openCatalogue();
    level.failures = 2;
    catalogue.sessionSaved(session('c'));
    while (clock.pending === 0) await nextTurn();
    catalogue.subscriptionSaved('c', subscription('a'));
    catalogue.willSaved('c', { message: telling, delaySeconds: 0 });
    catalogue.retainedSaved(telling);
    const closed = level.close();
    catalogue.subscriptionSaved('c', subscription('b'));
    await closed;
    const { subscriptions, wills, retained } = await loadAfterCrash(level);
    expect([subscriptions.length, wills.length, retained.length]).toEqual([2, 1, 1]);
    expect(() => catalogue.subscriptionSaved('c', subscription('c'))).toThrow(StoreClosed);
    expect(() => catalogue.retainedSaved(telling)).toThrow(StoreClosed);
  });
});

describe('retained messages', () => {
  const message = (topic: string, payload: string) => testMessage({ topic, payload, retain: true });

  it('are written once however often a topic changes within a group, as they are at its end', async () => {
    const { catalogue, level } = await openCatalogue();
    for (let i = 0; i < 1000; i++) {
      expect(catalogue.retainedSaved(message(`t/${i % 3}`, `${i}`))).toBe(1);
    }
    expect(catalogue.retainedRemoved('t/1')).toBe(1);
    catalogue.retainedRemoved('t/2');
    catalogue.retainedSaved(message('t/2', 'again'));
    await level.flush();
    expect(level.puts).toEqual(['retained:t/0', 'retained:t/2']);
    expect((await loadAfterCrash(level)).retained).toMatchObject([
      { topic: 't/0', payload: '999' },
      { topic: 't/2', payload: 'again' },
    ]);
    expect(catalogue.retainedRemoved('t/0')).toBe(2);
    await level.flush();
    expect((await loadAfterCrash(level)).retained).toMatchObject([{ topic: 't/2' }]);
  });

  it('are written before the group closes when many topics have changed', async () => {
    const { catalogue, level } = await openCatalogue();
    for (let i = 0; i < 1000; i++) catalogue.retainedSaved(message(`t/${i}`, 'x'));
    expect(level.puts.length).toBe(768);
    catalogue.retainedRemoved('t/0');
    await level.flush();
    expect((await loadAfterCrash(level)).retained).toHaveLength(999);
  });
});

describe('retained messages that have been written', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
  const oldBytes = () =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size as number;

  it('die young: cleared Maps of their notes kept them until a full collection', async () => {
    const level = new CommittedLevel(join(await createTemporaryDirectory(), 'store'), OPTIONS);
    await level.open();
    onTestFinished(() => level.close());
    const catalogue = new Catalogue(level);
    const writeSome = () => {
      // As many as are written at once, so that none is left.
      for (let i = 0; i < 256; i++)
        catalogue.retainedSaved(testMessage({ topic: `t/${i}`, payload: 'x', retain: true }));
    };
    writeSome();
    await level.flush();
    collect();
    collect();
    const before = oldBytes();
    for (let round = 0; round < 100; round++) {
      writeSome();
      writeSome();
      await level.flush();
      collect({ type: 'minor' });
    }
    // 51,200 messages: they would take 22 MB.
    expect(oldBytes() - before).toBeLessThan(4_000_000);
  });
});

describe('records that cannot be read', () => {
  it('are counted and left out', async () => {
    const { catalogue, level } = await openCatalogue();
    catalogue.sessionSaved(session('good'));
    catalogue.subscriptionSaved('good', subscription('a'));
    catalogue.willSaved('good', { message: telling, delaySeconds: 0 });
    catalogue.retainedSaved(telling);
    await level.flush();
    const whole = await level.get('retained:a/b');
    const damage: [string, Buffer][] = [
      ['session:x', Buffer.from('{"version":1')],
      ['session:y', Buffer.from('{"version":1,"clientId":5}')],
      ['session:z', Buffer.from('{"version":2,"clientId":"z"}')],
      ['session:n', Buffer.from('null')],
      ['state:17', Buffer.from('s')],
      ['subscriptions:x:a', Buffer.alloc(0)],
      ['subscriptions:x:b', Buffer.from([0x93, 1, 2, 3])],
      ['subscriptions:x:c', Buffer.from([0x81, 0xa5, 0x74])],
      ['subscriptions:x:d', Buffer.from([0x81, 0x01, 0x01])],
      ['will:x', Buffer.from([0x80])],
      ['retained:x', (whole as Buffer).subarray(0, 60)],
      ['retained:y', Buffer.from([0x81, 0xa1, 0x61, 0xd4, 0x00])],
    ];
    for (const [key, value] of damage) level.putNow(key, value);
    for (const key of ['session', 'session;', 'states:1', 'subscriptionsX', 'other:x'])
      level.putNow(key, Buffer.alloc(1));
    await level.flush();
    const content = await loadAfterCrash(level);
    expect(content.damaged).toBe(damage.length);
    expect(content.sessions.length + content.subscriptions.length + content.wills.length).toBe(3);
    expect(content.retained).toEqual([contentOf(telling)]);
  });
});

describe('aedes-persistence-level', () => {
  interface Persistence {
    subscriptionsByClient(client: { id: string }): Promise<object[]>;
    getWill(client: { id: string }): Promise<object>;
    createRetainedStream(pattern: string): Readable;
    addSubscriptions(client: { id: string }, subscriptions: object[]): Promise<void>;
  }
  const require = createRequire(import.meta.url);
  const Persistence = require('aedes-persistence-level/asyncPersistence.js') as new (
    level: CommittedLevel,
  ) => Persistence;

  it('reads what the catalogue has written', async () => {
    const { catalogue, level } = await openCatalogue();
    catalogue.subscriptionSaved('c:1', subscription('a/+', { noLocal: true, identifier: 9 }));
    catalogue.subscriptionSaved('c', subscription('b'));
    catalogue.willSaved('c:1', { message: telling, delaySeconds: 3 });
    catalogue.retainedSaved(telling);
    await level.flush();
    const persistence = new Persistence(level);
    expect(await persistence.subscriptionsByClient({ id: 'c:1' })).toMatchObject([
      { topic: 'a/+', qos: 1, nl: true, rap: false, rh: 0, subscriptionIdentifier: 9 },
    ]);
    const packet = { cmd: 'publish', topic: 'a/b', payload: Buffer.from([0, 255, 1]), qos: 2, retain: true };
    expect(await persistence.getWill({ id: 'c:1' })).toMatchObject({ ...packet, clientId: 'c:1' });
    expect(await persistence.createRetainedStream('a/#').toArray()).toMatchObject([packet]);
  });

  it('writes subscriptions that the catalogue can read', async () => {
    const { level } = await openCatalogue();
    await new Persistence(level).addSubscriptions({ id: 'c' }, [
      { topic: 'a', qos: 2, rh: 1 },
      { topic: 'b', qos: 0 },
    ]);
    expect((await loadAfterCrash(level)).subscriptions).toEqual([
      ['c', subscription('a', { qos: 2, retainHandling: 1 })],
      ['c', subscription('b', { qos: 0 })],
    ]);
  });
});
