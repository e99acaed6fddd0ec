/** What MQTT.js documents of itself, against the broker: sessions, wills, stores, reconnecting, and ending. */
import { type IClientOptions, Store } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InteropBroker, until } from './interop-broker.js';
import { payloadsOf, startClient } from './mqttjs-client.js';
import { nextEvent } from './next-event.js';

let broker: InteropBroker;

beforeAll(async () => {
  broker = await InteropBroker.start();
});

afterAll(() => broker.stop());

const CARRIERS = [
  ['tcp', 3],
  ['tcp', 4],
  ['tcp', 5],
  ['ws', 3],
  ['ws', 4],
  ['ws', 5],
] as const;

const NUMBERS = Array.from({ length: 500 }, (_, i) => String(i));

describe.each(CARRIERS)('MQTT.js over %s, MQTT %i', (carrier, protocolVersion) => {
  const prefix = `${carrier}${protocolVersion}`;

  async function start(name: string, options: IClientOptions = {}) {
    const { connack, ...recorded } = await startClient(carrier === 'ws' ? broker.wsUrl : broker.url, {
      protocolVersion,
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
      clientId: `${prefix}-${name}`,
      ...options,
    });
    return { ...recorded, isPresent: connack.sessionPresent };
  }

  const kept: IClientOptions = {
    clean: false,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 300 } } : {}),
  };

  it.each([0, 1, 2] as const)('has 500 messages in flight both ways at QoS %i, in order', async (qos) => {
    const one = await start(`flight-${qos}`);
    await one.client.subscribeAsync(`${prefix}/flight/${qos}`, { qos });
    await Promise.all(NUMBERS.map((n) => one.client.publishAsync(`${prefix}/flight/${qos}`, n, { qos })));
    await until('all of them', () => one.received.length === NUMBERS.length);
    expect(payloadsOf(one)).toEqual(NUMBERS);
    expect(one.received.every(({ packet }) => packet.qos === qos)).toBe(true);
  });

  it('finds its session again, with what came meanwhile, until it starts clean', async () => {
    const first = await start('session', kept);
    expect(first.isPresent).toBe(false);
    await first.client.subscribeAsync(`${prefix}/session`, { qos: 2 });
    await first.client.endAsync();
    await broker.connected(`${prefix}-session`, false);
    const publisher = await start('session-publisher');
    await Promise.all(NUMBERS.map((n) => publisher.client.publishAsync(`${prefix}/session`, n, { qos: 2 })));
    const second = await start('session', kept);
    // MQTT 3.1 has no such flag.
    expect(second.isPresent).toBe(protocolVersion !== 3);
    await until('what came meanwhile', () => second.received.length === NUMBERS.length);
    expect(payloadsOf(second)).toEqual(NUMBERS);
    await second.client.endAsync();
    await broker.connected(`${prefix}-session`, false);
    const clean = await start('session', { clean: true });
    expect(clean.isPresent).toBe(false);
    await publisher.client.publishAsync(`${prefix}/session`, 'lost', { qos: 2 });
    await clean.client.subscribeAsync(`${prefix}/other`);
    expect(clean.received).toEqual([]);
  });

  it('leaves its will when its socket breaks, and not when it says goodbye', async () => {
    const watcher = await start('watcher');
    await watcher.client.subscribeAsync(`${prefix}/will`, { qos: 1 });
    const will = { topic: `${prefix}/will`, payload: Buffer.from('gone'), qos: 1, retain: false } as const;
    const polite = await start('polite', { will });
    await polite.client.endAsync();
    await broker.connected(`${prefix}-polite`, false);
    const dying = await start('dying', { will });
    dying.client.stream.destroy();
    await until('the will', () => watcher.received.length > 0);
    await watcher.client.publishAsync(`${prefix}/will`, 'last', { qos: 1 });
    await until('the end', () => payloadsOf(watcher).includes('last'));
    expect(payloadsOf(watcher)).toEqual(['gone', 'last']);
  });

  it('sets and clears what is retained', async () => {
    const { client } = await start('retainer');
    await client.publishAsync(`${prefix}/retained`, 'value', { qos: 1, retain: true });
    const late = await start('late');
    await late.client.subscribeAsync(`${prefix}/retained`);
    await until('the retained message', () => late.received.length === 1);
    expect(late.received[0]?.packet.retain).toBe(true);
    await client.publishAsync(`${prefix}/retained`, '', { qos: 1, retain: true });
    const later = await start('later');
    await later.client.subscribeAsync(`${prefix}/retained`);
    await client.publishAsync(`${prefix}/retained`, 'passing');
    await until('the message after it', () => later.received.length > 0);
    expect(payloadsOf(later)).toEqual(['passing']);
  });

  it('subscribes to many filters at once, and unsubscribes from some', async () => {
    const { client, received } = await start('many');
    const filters = Array.from({ length: 100 }, (_, i) => `${prefix}/many/${i}/+`);
    const granted = await client.subscribeAsync(filters, { qos: 1 });
    expect(granted.map(({ qos }) => qos)).toEqual(filters.map(() => 1));
    await client.unsubscribeAsync(filters.slice(50));
    await Promise.all(filters.map((_, i) => client.publishAsync(`${prefix}/many/${i}/x`, `${i}`, { qos: 1 })));
    expect(received.map(({ payload }) => Number(payload))).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('connects again by itself, subscribes again, and sends what it has queued', async () => {
    const watcher = await start('queue-watcher');
    await watcher.client.subscribeAsync(`${prefix}/queued`, { qos: 2 });
    const { client, received } = await start('reconnecting', { reconnectPeriod: 50 });
    await client.subscribeAsync(`${prefix}/again`, { qos: 1 });
    client.stream.destroy();
    await nextEvent(client, 'close');
    const sent = NUMBERS.slice(0, 50).map((n) => client.publishAsync(`${prefix}/queued`, n, { qos: 2 }));
    await Promise.all(sent);
    await until('what was queued', () => watcher.received.length === 50);
    expect(payloadsOf(watcher)).toEqual(NUMBERS.slice(0, 50));
    await broker.subscribed(`${prefix}-reconnecting`, `${prefix}/again`);
    await client.publishAsync(`${prefix}/again`, 'x', { qos: 1 });
    await until('its own message', () => received.length === 1);
  });

  it('with resubscribe off, relies on its session', async () => {
    const { client, received } = await start('relying', { ...kept, resubscribe: false, reconnectPeriod: 50 });
    await client.subscribeAsync(`${prefix}/relying`, { qos: 1 });
    client.stream.destroy();
    await nextEvent(client, 'connect');
    await client.publishAsync(`${prefix}/relying`, 'x', { qos: 1 });
    await until('its own message', () => received.length === 1);
  });

  it('sends from its outgoing store what an earlier client of the same name has left there', async () => {
    const watcher = await start('store-watcher');
    await watcher.client.subscribeAsync(`${prefix}/stored`, { qos: 2 });
    const stores = { incomingStore: new Store({ clean: false }), outgoingStore: new Store({ clean: false }) };
    const first = await start('storing', { ...kept, ...stores });
    // The packet is stored and the socket gone before the broker can answer.
    first.client.publish(
      `${prefix}/stored`,
      'kept',
      { qos: 2, cbStorePut: () => first.client.stream.destroy() },
      () => {},
    );
    await nextEvent(first.client, 'close');
    await broker.connected(`${prefix}-storing`, false);
    await start('storing', { ...kept, ...stores });
    await until('the stored message', () => watcher.received.length > 0);
    expect(payloadsOf(watcher)).toEqual(['kept']);
  });

  it('gets a message again that its handler has refused', async () => {
    const refusing = await start('refusing', kept);
    await refusing.client.subscribeAsync(`${prefix}/refused`, { qos: 1 });
    refusing.client.handleMessage = (_packet, callback) => callback(new Error('not yet'));
    await refusing.client.publishAsync(`${prefix}/refused`, 'x', { qos: 0 });
    const publisher = await start('refused-publisher');
    await publisher.client.publishAsync(`${prefix}/refused`, 'y', { qos: 1 });
    await until('the refused message', () => payloadsOf(refusing).includes('y'));
    await refusing.client.endAsync(true);
    await broker.connected(`${prefix}-refusing`, false);
    const back = await start('refusing', kept);
    await until('the message again', () => back.received.length === 1);
    expect(back.received[0]).toMatchObject({ payload: 'y', packet: { dup: true } });
  });

  it('is asked for a sign of life, and gives it', async () => {
    const { client } = await start('alive', { keepalive: 1, reschedulePings: false });
    let pings = 0;
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'pingresp') pings++;
    });
    await until('two answers to its pings', () => pings === 2);
    expect(client.connected).toBe(true);
  });

  it('shares a subscription', async () => {
    const members = await Promise.all([start('member-1'), start('member-2')]);
    for (const { client } of members) await client.subscribeAsync(`$share/group/${prefix}/jobs`, { qos: 1 });
    const publisher = await start('job-publisher');
    await Promise.all(NUMBERS.map((n) => publisher.client.publishAsync(`${prefix}/jobs`, n, { qos: 1 })));
    const all = () => members.flatMap(payloadsOf);
    await until('every job', () => all().length === NUMBERS.length);
    expect(all().sort()).toEqual([...NUMBERS].sort());
    expect(members.every(({ received }) => received.length > 0)).toBe(true);
  });

  it('reads $SYS', async () => {
    const { client, received } = await start('sys');
    await client.subscribeAsync('$SYS/broker/version');
    await until('the version', () => received.length === 1);
    expect(received[0]?.payload).toMatch(/^millrace version /);
  });

  it('ends in order after what is in flight, and by force at once', async () => {
    const watcher = await start('end-watcher');
    await watcher.client.subscribeAsync(`${prefix}/end`, { qos: 1 });
    const orderly = await start('orderly');
    for (const n of NUMBERS) orderly.client.publish(`${prefix}/end`, n, { qos: 1 });
    await orderly.client.endAsync();
    await until('everything', () => watcher.received.length === NUMBERS.length);
    const forced = await start('forced');
    await forced.client.endAsync(true);
    await broker.connected(`${prefix}-forced`, false);
  });
});
