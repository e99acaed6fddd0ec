/**
 * Clients of the SQS endpoint, each over a connection of its own: they fill the queue, or drain it with ReceiveMessage and DeleteMessageBatch of ten,
 * or ask something that costs HTTP alone. Beside them, if so wished, an open loop of MQTT messages to one subscriber, each counted from
 * the moment it was due.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BenchFailure } from '../bench-failure.js';
import { Client } from './client.js';
import { PUBLISH } from './frames.js';
import { type OpenLoopSender, Pace } from './pace.js';
import { percentileOf } from './percentiles.js';
import { PublishBatch } from './publish-batch.js';
import { Samples } from './samples.js';
import { SqsConnection, type SqsRole } from './sqs-connection.js';
import type { SqsJob, SqsResult } from './sqs-job.js';
import { SqsRequests } from './sqs-requests.js';
import { unsigned16, unsigned32 } from './subscriber.js';
import { UsageWindow } from './usage-window.js';
import { WORK_QUEUE } from './work-queue.js';

const BATCH = 10;
const FILL_MS = 300_000;
const POLL_MS = 2;
const TOPIC = 'beside/data';
/** MQTT messages that may be on the way; a power of two. */
const PLACES = 65_536;

interface Tally {
  messages: number;
  requests: number;
  /** Receives that found nothing. */
  empty: number;
}

export async function runSqs(job: SqsJob): Promise<SqsResult> {
  const requests = new SqsRequests(job.sqsPort, job.key);
  const connections = await Promise.all(Array.from({ length: job.connections }, () => SqsConnection.open(job.sqsPort)));
  const tally: Tally = { messages: 0, requests: 0, empty: 0 };
  const besides = job.messagesPerSecond === 0 ? null : await Beside.open(job);
  const lost = new Promise<never>((_, reject) => {
    for (const each of [...connections, ...(besides?.clients ?? [])]) {
      each.onLost = (reason) => reject(new BenchFailure(reason));
    }
  });
  for (const connection of connections) {
    const role = roleOf(job, requests, tally);
    connection.start(role, role.first());
  }
  const result = await Promise.race([measure(job, tally, besides), lost]);
  for (const connection of connections) connection.close();
  for (const client of besides?.clients ?? []) client.close();
  return result;
}

async function measure(job: SqsJob, tally: Tally, besides: Beside | null): Promise<SqsResult> {
  const fromMs = performance.now() + job.warmUpMs;
  if (besides !== null) await besides.until(fromMs, false);
  else if (job.does !== 'fill') await delay(job.warmUpMs);
  const before = { ...tally };
  const window = UsageWindow.begin(job.serverPid ?? job.brokerPid);
  if (job.does === 'fill') await untilFilled(job, tally);
  else if (besides !== null) await besides.until(fromMs + job.measuredMs, true);
  else await delay(job.measuredMs);
  const usage = window.end();
  return {
    kind: 'sqs',
    ...usage,
    messages: tally.messages - before.messages,
    requests: tally.requests - before.requests,
    empty: tally.empty - before.empty,
    ...(besides?.latencies() ?? { p50Ms: Number.NaN, p99Ms: Number.NaN, lateP99Ms: Number.NaN, delivered: 0 }),
  };
}

async function untilFilled({ messages }: SqsJob, tally: Tally): Promise<void> {
  const deadlineMs = performance.now() + FILL_MS;
  while (tally.messages < messages) {
    if (performance.now() > deadlineMs) throw new BenchFailure(`only ${tally.messages} messages were taken`);
    await delay(POLL_MS);
  }
}

interface StartingRole extends SqsRole {
  first(): string;
}

function roleOf(job: SqsJob, requests: SqsRequests, tally: Tally): StartingRole {
  switch (job.does) {
    case 'fill':
      return new Filler(job, requests, tally);
    case 'drain':
      return new Drainer(requests, tally);
    case 'ask':
      return new Asker(requests, tally);
  }
}

class Filler implements StartingRole {
  readonly #request;
  readonly #tally: Tally;
  readonly #messages: number;

  constructor({ payloadBytes, messages }: SqsJob, requests: SqsRequests, tally: Tally) {
    const MessageBody = 'm'.repeat(payloadBytes);
    const Entries = Array.from({ length: BATCH }, (_, Id) => ({ Id: String(Id), MessageBody }));
    this.#request = requests.same('SendMessageBatch', { QueueUrl: WORK_QUEUE, Entries });
    this.#tally = tally;
    this.#messages = messages;
  }

  first(): string {
    return this.#request();
  }

  onAnswer(body: string): string | null {
    if (body.includes('"Failed"')) throw new BenchFailure(body.slice(0, 300));
    this.#tally.requests++;
    this.#tally.messages += BATCH;
    return this.#tally.messages < this.#messages ? this.#request() : null;
  }
}

const HANDLE = '"ReceiptHandle":"';

class Drainer implements StartingRole {
  readonly #receive;
  readonly #requests: SqsRequests;
  readonly #tally: Tally;
  #isDeleting = false;
  #deleting = 0;

  constructor(requests: SqsRequests, tally: Tally) {
    this.#requests = requests;
    this.#receive = requests.same('ReceiveMessage', {
      QueueUrl: WORK_QUEUE,
      MaxNumberOfMessages: BATCH,
      WaitTimeSeconds: 1,
    });
    this.#tally = tally;
  }

  first(): string {
    return this.#receive();
  }

  onAnswer(body: string): string {
    this.#tally.requests++;
    if (this.#isDeleting) {
      this.#isDeleting = false;
      if (body.includes('"Failed"')) throw new BenchFailure(body.slice(0, 300));
      this.#tally.messages += this.#deleting;
      return this.#receive();
    }
    const entries = this.#entriesOf(body);
    if (this.#deleting === 0) {
      this.#tally.empty++;
      return this.#receive();
    }
    this.#isDeleting = true;
    return this.#requests.make('DeleteMessageBatch', `{"QueueUrl":"${WORK_QUEUE}","Entries":[${entries}]}`);
  }

  #entriesOf(body: string): string {
    let entries = '';
    this.#deleting = 0;
    for (let at = body.indexOf(HANDLE); at !== -1; at = body.indexOf(HANDLE, at)) {
      at += HANDLE.length;
      const handle = body.slice(at, body.indexOf('"', at));
      entries += `${this.#deleting === 0 ? '' : ','}{"Id":"${this.#deleting++}","ReceiptHandle":"${handle}"}`;
    }
    return entries;
  }
}

class Asker implements StartingRole {
  readonly #request;
  readonly #tally: Tally;

  constructor(requests: SqsRequests, tally: Tally) {
    this.#request = requests.same('GetQueueUrl', { QueueName: WORK_QUEUE });
    this.#tally = tally;
  }

  first(): string {
    return this.#request();
  }

  onAnswer(): string {
    this.#tally.requests++;
    return this.#request();
  }
}

/** One MQTT publisher and one subscriber. */
class Beside implements OpenLoopSender {
  readonly clients: readonly [publisher: Client, subscriber: Client];
  readonly #batch: PublishBatch;
  readonly #pace: Pace;
  readonly #lateness: Samples;
  readonly #latencies: Samples;
  readonly #dueAtMs = new Float64Array(PLACES);
  #sent = 0;
  #delivered = 0;
  #isMeasuring = false;

  private constructor(job: SqsJob, publisher: Client, subscriber: Client) {
    const { protocol, payloadBytes, messagesPerSecond, measuredMs } = job;
    this.clients = [publisher, subscriber];
    this.#batch = new PublishBatch({ protocol, topic: TOPIC, qos: 0, payloadBytes, publisher: 0 }, 1);
    this.#latencies = new Samples(Math.ceil((messagesPerSecond * measuredMs) / 1000) + 1);
    this.#lateness = new Samples(this.#latencies.capacity);
    this.#pace = new Pace(messagesPerSecond, [this], this.#lateness);
  }

  static async open(job: SqsJob): Promise<Beside> {
    const { address, protocol } = job;
    const publisher = await Client.open(address, protocol, 'bench-beside-publisher');
    const subscriber = await Client.open(address, protocol, 'bench-beside-subscriber');
    const beside = new Beside(job, publisher, subscriber);
    await subscriber.subscribe([TOPIC], 0);
    subscriber.handTo({
      onFrame: (bytes, start, bodyStart) => beside.#onFrame(bytes, start, bodyStart, protocol === 5),
      onChunkEnd: () => {},
    });
    return beside;
  }

  async until(endMs: number, isMeasuring: boolean): Promise<void> {
    this.#isMeasuring = isMeasuring;
    await this.#pace.until(endMs);
  }

  offerMessage(dueAtMs: number): boolean {
    this.#dueAtMs[this.#sent % PLACES] = dueAtMs;
    this.clients[0].write(Buffer.from(this.#batch.stamp(this.#sent++)));
    return true;
  }

  latencies(): Pick<SqsResult, 'p50Ms' | 'p99Ms' | 'lateP99Ms' | 'delivered'> {
    const sorted = this.#latencies.sorted();
    return {
      p50Ms: percentileOf(sorted, 50),
      p99Ms: percentileOf(sorted, 99),
      lateP99Ms: percentileOf(this.#lateness.sorted(), 99),
      delivered: this.#delivered,
    };
  }

  #onFrame(bytes: Uint8Array, start: number, bodyStart: number, hasProperties: boolean): void {
    if ((bytes[start] as number) >> 4 !== PUBLISH) return;
    const payloadAt = bodyStart + 2 + unsigned16(bytes, bodyStart) + (hasProperties ? 1 : 0);
    this.#delivered++;
    const dueAtMs = this.#dueAtMs[unsigned32(bytes, payloadAt + 4) % PLACES] as number;
    if (this.#isMeasuring) this.#latencies.add(performance.now() - dueAtMs);
  }
}
