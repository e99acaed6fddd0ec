/**
 * Subscribes at QoS 0 to what is retained, a number of SUBSCRIBEs in a write, the next when all answers and all messages of these are
 * there, until all is asked or the time is over. Each message is checked against its topic, so that what is counted has been found, and not something else.
 */
import { BenchFailure } from '../bench-failure.js';
import { Acknowledgements } from './acknowledgements.js';
import { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { type Protocol, PUBACK_HEADER, PUBLISH, SUBACK, subscribeFrame } from './frames.js';
import type { LookUpJob, LookUpResult, RetainedQuestion } from './look-up-job.js';
import { questionOf, retainedTopic } from './retained-topics.js';
import { propertiesEnd, unsigned16, unsigned32 } from './subscriber.js';
import { UsageWindow } from './usage-window.js';

/** How long the answers to the last write are waited for; what has not come then is missing. */
const LAST_ANSWER_MS = 60_000;

interface Plan {
  /** In all. */
  readonly questions: number;
  readonly inOneWrite: number;
}

const PLANS: Readonly<Record<RetainedQuestion, Plan>> = {
  exact: { questions: 50_000, inOneWrite: 50 },
  absent: { questions: 50_000, inOneWrite: 50 },
  level: { questions: 200, inOneWrite: 1 },
  everything: { questions: 1, inOneWrite: 1 },
};

export async function runLookUp(job: LookUpJob): Promise<LookUpResult> {
  const client = await Client.open(job.address, job.protocol, 'bench-asker');
  const lost = new Promise<never>((_, reject) => {
    client.onLost = (reason) => reject(new BenchFailure(reason));
  });
  const asker = new Asker(client, job);
  const window = UsageWindow.begin(job.brokerPid);
  setTimeout(() => asker.stop(), job.longestMs).unref();
  const deadline = new Promise<void>((resolve) => setTimeout(resolve, job.longestMs + LAST_ANSWER_MS).unref());
  await Promise.race([asker.finished, deadline, lost]);
  const usage = window.end();
  const { subscribes, delivered, expected, foreign } = asker;
  client.close();
  return { kind: 'look-up', ...usage, subscribes, delivered, expected, foreign };
}

class Asker implements FrameHandler {
  readonly finished: Promise<void>;
  readonly #client: Client;
  readonly #acknowledgements: Acknowledgements;
  readonly #protocol: Protocol;
  readonly #job: LookUpJob;
  readonly #plan: Plan;
  #finish: () => void = () => {};
  #asked = 0;
  #isStopped = false;
  subscribes = 0;
  delivered = 0;
  expected = 0;
  foreign = 0;

  constructor(client: Client, job: LookUpJob) {
    this.#client = client;
    this.#acknowledgements = new Acknowledgements(client);
    this.#protocol = job.protocol;
    this.#job = job;
    this.#plan = PLANS[job.asks];
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    client.handTo(this);
    this.#ask();
  }

  /** Nothing is asked any more. */
  stop(): void {
    this.#isStopped = true;
  }

  onFrame(bytes: Uint8Array, start: number, bodyStart: number, end: number): void {
    const type = (bytes[start] as number) >> 4;
    if (type === SUBACK) this.subscribes++;
    else if (type === PUBLISH) this.#onPublish(bytes, ((bytes[start] as number) >> 1) & 3, bodyStart, end);
  }

  onChunkEnd(): void {
    this.#acknowledgements.flush();
    if (this.subscribes < this.#asked || this.delivered < this.expected) return;
    if (this.#asked < this.#plan.questions && !this.#isStopped) this.#ask();
    else this.#finish();
  }

  #ask(): void {
    const frames: Buffer[] = [];
    while (frames.length < this.#plan.inOneWrite && this.#asked < this.#plan.questions) {
      const { filter, answers } = questionOf(this.#job.asks, this.#asked++, this.#job.messages);
      this.expected += answers;
      frames.push(subscribeFrame(this.#protocol, [filter], 0, frames.length + 1));
    }
    this.#client.write(Buffer.concat(frames));
  }

  /** What it says is the number of its topic: of every thousandth the topic itself is looked at, too. */
  #onPublish(bytes: Uint8Array, qos: number, bodyStart: number, end: number): void {
    const topicEnd = bodyStart + 2 + unsigned16(bytes, bodyStart);
    let payloadAt = topicEnd;
    if (qos > 0) {
      // Some send what is retained at the QoS of its publication, whatever was asked for, and wait for answers.
      this.#acknowledgements.add(PUBACK_HEADER, bytes[topicEnd] as number, bytes[topicEnd + 1] as number);
      payloadAt += 2;
    }
    if (this.#protocol === 5) payloadAt = propertiesEnd(bytes, payloadAt);
    const message = payloadAt + 4 <= end ? unsigned32(bytes, payloadAt) : this.#job.messages;
    if (message >= this.#job.messages) {
      this.foreign++;
      return;
    }
    this.delivered++;
    if (message % 1000 !== 0) return;
    const topic = Buffer.from(bytes.subarray(bodyStart + 2, topicEnd)).toString();
    if (topic !== retainedTopic(message)) this.foreign++;
  }
}
