/**
 * Takes messages from a work queue over MQTT 5, and says of each what became of it by the reason code of its PUBACK. To be copied.
 *
 * MQTT.js hands out one message at a time: until that is acknowledged it reads nothing more of the connection, not even the
 * answers to what it sends itself. Hence the limit on the time that a message may take, and hence no waiting for PUBACKs
 * of the same client within `work`. For more messages at a time, start more workers: they share the queue.
 */
import { type AckHandler, connect, type IPublishPacket, type MqttClient } from 'mqtt';

/** Thrown by `work` for a message that nobody can ever work on: it goes to the dead letters. */
export class Unusable extends Error {}

export interface Job {
  readonly topic: string;
  readonly payload: Buffer;
  readonly properties: NonNullable<IPublishPacket['properties']>;
  /** The same each time that the message comes: what was done before can be known by it. */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

export interface QueueWorkerOptions {
  readonly url: string;
  readonly queue: string;
  /** The message is done when this returns. It comes back later if this throws, unless that is {@link Unusable}. */
  work(job: Job): Promise<void>;
}

/** Reason codes of PUBACK, as the queue understands them. */
const DONE = 0x00;
const COMES_BACK_LATER = 0x80;
const NOT_EVEN_TRIED = 0x97;
const DEAD_LETTER = 0x99;

/** The second one is there when the first one is done. */
const PREFETCH = 2;
const WORK_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
/** MQTT.js gives a connection up if PINGREQ has no answer for half of this time, and the answer stands behind the messages. */
const KEEP_ALIVE_SECONDS = (2 * (PREFETCH + 1) * WORK_LIMIT_MS) / 1000;

export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #client: MqttClient;
  readonly #filter: string;
  /** Resolves after {@link stop}. Rejects if the queue cannot be taken from, or work in hand has not ended in time. */
  readonly ended: Promise<void>;
  #end!: () => void;
  #fail!: (error: Error) => void;
  /** The message that is being worked on. */
  #current: Promise<void> = Promise.resolve();
  #connections = 0;
  #isStopping = false;

  constructor(options: QueueWorkerOptions) {
    this.#options = options;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#filter = `$queue/${options.queue}`;
    this.#client = connect(options.url, {
      protocolVersion: 5,
      keepalive: KEEP_ALIVE_SECONDS,
      resubscribe: false,
      customHandleAcks: (...message) => this.#take(...message),
    });
    this.#client.on('connect', () => this.#subscribe());
    this.#client.on('close', () => this.#connections++);
    this.#client.on('error', (error) => console.error(`connection: ${error.message}`));
  }

  /** Takes no more, finishes what is being worked on, gives the rest back and says goodbye. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    setTimeout(() => this.#fail(new Error('the work in hand has not ended')), STOP_LIMIT_MS).unref();
    // The answer comes behind all messages that were sent before, so each of them has been acknowledged then.
    if (this.#client.connected) await this.#client.unsubscribeAsync(this.#filter).catch(() => {});
    await this.#current;
    await this.#client.endAsync(!this.#client.connected);
    this.#end();
  }

  #subscribe(): void {
    if (this.#isStopping) return;
    const properties = { userProperties: { prefetch: String(PREFETCH) } };
    this.#client.subscribe(this.#filter, { qos: 1, properties }, (error, granted) => {
      // Of a connection that has ended: the next one subscribes again.
      if (!this.#client.connected) return;
      const isRefused = granted?.some(({ qos }) => qos >= 0x80) ?? true;
      if (error !== null || isRefused) this.#fail(new Error(`cannot take from ${this.#filter}`));
      else console.log(`taking from ${this.#filter}`);
    });
  }

  #take(topic: string, payload: Buffer, packet: IPublishPacket, acknowledge: Parameters<AckHandler>[3]): void {
    const { properties = {} } = packet;
    const job = {
      topic,
      payload,
      properties,
      id: factOf(properties, 'q-id'),
      attempt: Number(factOf(properties, 'q-attempt')),
    };
    const connection = this.#connections;
    const before = this.#current;
    this.#current = before.then(async () => {
      const reasonCode = this.#isStopping ? NOT_EVEN_TRIED : await this.#work(job);
      // With its connection the message has gone back to the queue, and its packet identifier means another one by now.
      if (connection === this.#connections) acknowledge(reasonCode);
    });
  }

  async #work(job: Job): Promise<number> {
    const what = `${job.topic}, attempt ${job.attempt}`;
    try {
      await withinLimit(this.#options.work(job));
      console.log(`done: ${what}`);
      return DONE;
    } catch (error) {
      const isUnusable = error instanceof Unusable;
      console.error(
        `${isUnusable ? 'rejected' : 'refused'}: ${what}: ${error instanceof Error ? error.message : error}`,
      );
      return isUnusable ? DEAD_LETTER : COMES_BACK_LATER;
    }
  }
}

/** What the queue says of the message. A publisher may have set a property of the same name: the queue's comes first. */
function factOf({ userProperties }: Job['properties'], name: string): string {
  return [userProperties?.[name] ?? ''].flat()[0] ?? '';
}

async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), WORK_LIMIT_MS);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
