/**
 * Clients that behave, beside those that do not. What they publish must come within a bound, in order, QoS 2 exactly once
 * and QoS 1 at least once; what they have retained, and what waits for an absent one, must outlive the process.
 */
import { acknowledgement, publish, readPublish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { Finding } from './finding.js';

const BEAT_MS = 20;
/** Every so many beats something is retained, and something left for the absent client. */
const KEEP_EVERY = 25;
const RETAINED_TOPICS = 10;
/** Messages left for the absent client: with more and more of them, the broker would hold more and more. */
const MOST_KEPT = 200;
const BOUND_MS = 8_000;

export class DurableWitness {
  readonly #name: string;
  readonly #port: number;
  readonly #publisher: RawClient;
  readonly #subscriber: RawClient;
  readonly #timer: NodeJS.Timeout;
  readonly #sentAt = new Map<string, number>();
  /** The last number that has come, by QoS. */
  readonly #last = new Map<number, number>();
  readonly #retained = new Map<string, string>();
  #beat = 0;
  #kept = 0;
  #finding: Finding | undefined;
  longestMs = 0;
  received = 0;

  private constructor(name: string, port: number, publisher: RawClient, subscriber: RawClient) {
    this.#name = name;
    this.#port = port;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    publisher.onPacket = ({ type, body }) => {
      if (type === 5) publisher.send(acknowledgement(6, body.readUInt16BE(0)));
    };
    subscriber.onPacket = (packet) => {
      if (packet.type === 6) subscriber.send(acknowledgement(7, packet.body.readUInt16BE(0)));
      if (packet.type === 3) this.#onMessage(readPublish(packet));
    };
    this.#timer = setInterval(() => this.#onBeat(), BEAT_MS);
  }

  /** @param name that no other client uses, nor any topic */
  static async start(port: number, name: string): Promise<DurableWitness> {
    const absent = await connectKept(port, name);
    absent.send(subscribe(1, [`${name}/kept`], 1));
    await absent.waitFor(9);
    absent.destroy();
    const subscriber = await RawClient.connect(port, { clientId: `${name}-subscriber` });
    subscriber.send(subscribe(1, [`${name}/beat/+`], 2));
    await subscriber.waitFor(9);
    const publisher = await RawClient.connect(port, { clientId: `${name}-publisher` });
    return new DurableWitness(name, port, publisher, subscriber);
  }

  /** Sessions that it leaves behind. */
  static readonly keptSessions = 1;

  /** What it has to complain of so far. */
  get finding(): Finding | undefined {
    if (this.#finding !== undefined) return this.#finding;
    if (this.#publisher.isClosed || this.#subscriber.isClosed) return new Finding('witness', 'it was disconnected');
    const oldest = this.#sentAt.values().next().value;
    const waitedMs = oldest === undefined ? 0 : performance.now() - oldest;
    return waitedMs > BOUND_MS
      ? new Finding('witness', `a message has not come for ${Math.round(waitedMs)} ms`)
      : undefined;
  }

  /** Publishes no more, waits for what is on the way, and leaves. */
  async stop(): Promise<Finding | undefined> {
    clearInterval(this.#timer);
    const deadline = performance.now() + BOUND_MS;
    while (this.#sentAt.size > 0 && this.finding === undefined && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const finding = this.finding ?? this.#missing();
    this.#publisher.destroy();
    this.#subscriber.destroy();
    return finding;
  }

  /** After a restart: is what was acknowledged still there? */
  async checkKept(port: number): Promise<Finding | undefined> {
    const client = await connectKept(port, this.#name);
    client.send(subscribe(2, [`${this.#name}/retained/+`], 1));
    const expected = this.#retained.size + this.#kept;
    const settled = () => client.publishes().length >= expected && client.packets.some(({ type }) => type === 9);
    await client.until(settled, BOUND_MS).catch(() => {});
    const publishes = client.publishes();
    client.destroy();
    const kept = publishes.filter(({ topic }) => topic === `${this.#name}/kept`).map(({ payload }) => Number(payload));
    if (kept.length !== this.#kept || kept.some((number, index) => number !== index)) {
      return new Finding('restart', `of ${this.#kept} messages for an absent client came ${kept.join()}`);
    }
    for (const [topic, payload] of this.#retained) {
      const found = publishes.find((message) => message.topic === topic)?.payload;
      if (found !== payload) {
        const others = `${publishes.length} messages came of ${expected}, closed: ${client.isClosed}`;
        return new Finding('restart', `${topic} was retained as ${payload} and is ${found}; ${others}`);
      }
    }
    return undefined;
  }

  /** Ends the session and takes away what is retained. */
  async leaveNothing(): Promise<void> {
    const client = await RawClient.connect(this.#port, { clientId: this.#name });
    for (const topic of this.#retained.keys()) client.send(publish({ topic, retain: true, qos: 1 }));
    await client.until(() => client.packets.filter(({ type }) => type === 4).length >= this.#retained.size);
    client.destroy();
  }

  #onBeat(): void {
    const number = this.#beat++;
    for (const qos of [1, 2]) {
      const packetId = 1 + ((2 * number + qos) % 60_000);
      this.#sentAt.set(`${qos} ${number}`, performance.now());
      this.#publisher.send(publish({ topic: `${this.#name}/beat/${qos}`, payload: String(number), qos, packetId }));
    }
    if (number % KEEP_EVERY !== 0) return;
    const topic = `${this.#name}/retained/${(number / KEEP_EVERY) % RETAINED_TOPICS}`;
    this.#retained.set(topic, String(number));
    const packetId = 60_001 + (number % 5_000);
    this.#publisher.send(publish({ topic, payload: String(number), qos: 1, retain: true, packetId }));
    if (this.#kept === MOST_KEPT) return;
    const kept = publish({ topic: `${this.#name}/kept`, payload: String(this.#kept++), qos: 1, packetId: 65_100 });
    this.#publisher.send(kept);
  }

  #onMessage({ topic, payload, qos, packetId, duplicate }: ReturnType<typeof readPublish>): void {
    this.#subscriber.send(acknowledgement(qos === 1 ? 4 : 5, packetId));
    const number = Number(payload);
    const sentAt = this.#sentAt.get(`${qos} ${number}`);
    this.#sentAt.delete(`${qos} ${number}`);
    if (sentAt !== undefined) this.longestMs = Math.max(this.longestMs, performance.now() - sentAt);
    const expected = (this.#last.get(qos) ?? -1) + 1;
    if (number !== expected || duplicate) {
      this.#finding ??= new Finding('witness', `${topic}: ${number} came instead of ${expected}`);
    }
    this.#last.set(qos, number);
    this.received++;
  }

  #missing(): Finding | undefined {
    const { size } = this.#sentAt;
    return size === 0 ? undefined : new Finding('witness', `${size} messages have not come`);
  }
}

function connectKept(port: number, clientId: string): Promise<RawClient> {
  return RawClient.connect(port, { clientId, cleanStart: false, sessionExpirySeconds: 0xffffffff });
}
