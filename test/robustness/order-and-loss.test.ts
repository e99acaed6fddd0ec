/** A hundred publishers into one subscriber that comes and goes: what was acknowledged arrives, in order. */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { acknowledgement, connect, publish, readPublish, subscribe } from './support/packets.js';
import { randomSource } from './support/random-source.js';
import { RawClient, sleep } from './support/raw-client.js';
import { figure, IS_LONG } from './support/settings.js';

const PUBLISHERS = 100;
const MESSAGES = IS_LONG ? 2000 : 200;
let broker: BrokerProcess;

afterEach(() => broker.end());

/** A persistent subscriber that is killed and comes back; keeps QoS 2 state as a client should. */
class Subscriber {
  /** Payloads in order of arrival, what a QoS 2 client hands to its application. */
  readonly taken: string[] = [];
  readonly #qos: number;
  readonly #port: number;
  readonly #held = new Set<number>();
  client: RawClient | null = null;

  constructor(port: number, qos: number) {
    this.#port = port;
    this.#qos = qos;
  }

  async connect(): Promise<void> {
    const client = await RawClient.open(this.#port);
    this.client = client;
    client.onPacket = (packet) => {
      if (packet.type === 6) {
        const packetId = packet.body.readUInt16BE(0);
        this.#held.delete(packetId);
        client.send(acknowledgement(7, packetId));
      }
      if (packet.type !== 3) return;
      const { packetId, payload } = readPublish(packet);
      if (this.#qos === 1) {
        this.taken.push(payload);
        client.send(acknowledgement(4, packetId));
        return;
      }
      if (!this.#held.has(packetId)) this.taken.push(payload);
      this.#held.add(packetId);
      client.send(acknowledgement(5, packetId));
    };
    client.send(
      connect({ clientId: 'taker', cleanStart: false, sessionExpirySeconds: 600, receiveMaximum: 20 }),
      subscribe(1, ['load/#'], this.#qos),
    );
  }
}

async function publishAll(port: number, number: number, qos: number): Promise<void> {
  const client = await RawClient.connect(port, { clientId: `p${number}` });
  let done = 0;
  client.onPacket = (packet) => {
    if (packet.type === 4 || packet.type === 7) done++;
    if (packet.type === 5) client.send(acknowledgement(6, packet.body.readUInt16BE(0)));
  };
  for (let i = 0; i < MESSAGES; i++) {
    client.send(publish({ topic: `load/${number}`, qos, packetId: i + 1, payload: `${number}:${i}` }));
    if (i % 20 === 19) await client.until(() => done > i - 20, 20_000);
  }
  await client.until(() => done === MESSAGES, 20_000);
  client.destroy();
}

function byPublisher(taken: readonly string[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const payload of taken) {
    const [publisher, number] = payload.split(':') as [string, string];
    if (!numbers.has(publisher)) numbers.set(publisher, []);
    numbers.get(publisher)?.push(Number(number));
  }
  return numbers;
}

describe.each([1, 2])('QoS %i', (qos) => {
  it('loses nothing and keeps the order of each publisher, whatever happens to the subscriber', {
    timeout: 60_000,
  }, async () => {
    broker = await BrokerProcess.start({ limits: { maximumInflight: 50 } });
    const random = randomSource(7 + qos);
    const subscriber = new Subscriber(broker.port, qos);
    await subscriber.connect();
    await sleep(50);
    let isPublishing = true;
    const publishing = Promise.all(Array.from({ length: PUBLISHERS }, (_, n) => publishAll(broker.port, n, qos)));
    const finished = publishing.then(() => (isPublishing = false));
    let kills = 0;
    while (isPublishing || kills < 20) {
      await sleep(5 + random() * 30);
      kills++;
      if (random() < 0.3) subscriber.client?.reset();
      else if (random() < 0.5) subscriber.client?.destroy();
      // else: the next connection takes over while this one is alive
      await subscriber.connect();
    }
    await finished;
    const wanted = PUBLISHERS * MESSAGES;
    const deadline = Date.now() + 20_000;
    const isComplete = () => new Set(subscriber.taken).size === wanted;
    while (!isComplete() && Date.now() < deadline) await sleep(50);
    const numbers = byPublisher(subscriber.taken);
    const drops = (await broker.report()).drops;
    figure(`qos ${qos}: ${subscriber.taken.length} of ${wanted}, ${kills} kills`, JSON.stringify(drops));
    expect(new Set(subscriber.taken).size).toBe(wanted);
    if (qos === 2) expect(subscriber.taken.length).toBe(wanted);
    for (const [publisher, list] of numbers) {
      // A repeated QoS 1 message may come late; its first arrival may not.
      const first = [...new Set(list)];
      expect(first, `publisher ${publisher}`).toEqual([...first].sort((a, b) => a - b));
    }
    const report = await broker.report();
    expect(report.errors, report.lastErrors.join()).toBe(0);
  });
});
