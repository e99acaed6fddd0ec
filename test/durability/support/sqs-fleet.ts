/** Senders and workers of SQS: one at a time and in batches, that delete at once, late, again, or give back, over connections that are cut. */
import { Agent, request } from 'node:http';
import type { Changes } from './changes.js';
import type { RandomSource } from './random-source.js';
import type { SqsBook } from './sqs-book.js';

interface Received {
  readonly Body: string;
  readonly ReceiptHandle: string;
  readonly Attributes: { readonly ApproximateReceiveCount: string };
}

interface Outcome {
  readonly Successful?: readonly { readonly Id: string }[];
  readonly Failed?: readonly object[];
}

/** The connection was cut before the answer, or instead of it. */
class NoAnswer extends Error {}

const SENDERS = 6;
const WORKERS = 6;
const BATCH = 10;

export class SqsFleet {
  readonly #book: SqsBook;
  readonly #random: RandomSource;
  readonly #changes: Changes;
  #agent = new Agent({ keepAlive: true });
  #port = 0;
  #isSending = false;
  #isWorking = false;
  #sequence = 0;
  #running: Promise<void>[] = [];

  constructor(book: SqsBook, random: RandomSource, changes: Changes) {
    this.#book = book;
    this.#random = random;
    this.#changes = changes;
  }

  start(port: number): void {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true });
    this.#isSending = true;
    this.#isWorking = true;
    for (let sender = 0; sender < SENDERS; sender++)
      this.#run(
        () => this.#isSending,
        () => this.#send(),
      );
    for (let worker = 0; worker < WORKERS; worker++)
      this.#run(
        () => this.#isWorking,
        () => this.#work(),
      );
  }

  /** The broker is being cut off: whoever gets no answer leaves. */
  async stop(): Promise<void> {
    this.#isSending = false;
    this.#isWorking = false;
    this.#agent.destroy();
    await Promise.all(this.#running.splice(0));
  }

  /** Takes everything that is there, for good. */
  async drain(port: number): Promise<void> {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true });
    for (;;) {
      const left = await this.#left();
      if (left === 0) break;
      const received = await this.#receive(1);
      if (received.length > 0) await this.#delete(received);
    }
    this.#agent.destroy();
  }

  #run(mayGoOn: () => boolean, step: () => Promise<void>): void {
    const loop = async (): Promise<void> => {
      while (mayGoOn()) await step();
    };
    this.#running.push(
      loop().catch((error: unknown) => {
        if (!(error instanceof NoAnswer)) this.#book.violations.push(String(error));
        this.#changes.notify();
      }),
    );
  }

  async #send(): Promise<void> {
    const bodies = Array.from({ length: this.#random.chance(0.5) ? 1 : BATCH }, () => `m${this.#sequence++}`);
    for (const body of bodies) this.#book.recordSent(body);
    if (bodies.length === 1) {
      await this.#call('SendMessage', { MessageBody: bodies[0] });
      this.#book.recordPromised(bodies[0] ?? '');
    } else {
      const Entries = bodies.map((MessageBody, Id) => ({ Id: String(Id), MessageBody }));
      const { Successful = [] } = (await this.#call('SendMessageBatch', { Entries })) as Outcome;
      for (const { Id } of Successful) this.#book.recordPromised(bodies[Number(Id)] ?? '');
    }
    this.#changes.notify();
  }

  async #work(): Promise<void> {
    const received = await this.#receive(this.#random.integer(0, 1));
    if (received.length === 0) return;
    const chosen = received.filter(() => this.#random.chance(0.8));
    if (this.#random.chance(0.3)) await this.#giveBack(received.filter((each) => !chosen.includes(each)));
    if (chosen.length > 0) await this.#delete(chosen);
    this.#changes.notify();
  }

  async #receive(waitSeconds: number): Promise<readonly Received[]> {
    const askedAtMs = performance.now();
    const input = { MaxNumberOfMessages: BATCH, WaitTimeSeconds: waitSeconds, AttributeNames: ['All'] };
    const { Messages = [] } = (await this.#call('ReceiveMessage', input)) as { Messages?: readonly Received[] };
    for (const { Body, Attributes } of Messages) {
      const receiveCount = Number(Attributes.ApproximateReceiveCount);
      this.#book.recordDelivery({ body: Body, receiveCount, askedAtMs });
    }
    return Messages;
  }

  async #delete(received: readonly Received[]): Promise<void> {
    const [only] = received;
    if (received.length === 1 && only !== undefined) {
      await this.#call('DeleteMessage', { ReceiptHandle: only.ReceiptHandle });
      this.#book.recordDeleted(only.Body, performance.now());
      return;
    }
    const Entries = received.map(({ ReceiptHandle }, Id) => ({ Id: String(Id), ReceiptHandle }));
    const { Successful = [] } = (await this.#call('DeleteMessageBatch', { Entries })) as Outcome;
    for (const { Id } of Successful) this.#book.recordDeleted(received[Number(Id)]?.Body ?? '', performance.now());
  }

  async #giveBack(received: readonly Received[]): Promise<void> {
    if (received.length === 0) return;
    const Entries = received.map(({ ReceiptHandle }, Id) => ({ Id: String(Id), ReceiptHandle, VisibilityTimeout: 0 }));
    await this.#call('ChangeMessageVisibilityBatch', { Entries });
  }

  async #left(): Promise<number> {
    const { Attributes } = (await this.#call('GetQueueAttributes', { AttributeNames: ['All'] })) as {
      Attributes: Readonly<{ [name: string]: string }>;
    };
    const names = ['', 'NotVisible', 'Delayed'].map((kind) => `ApproximateNumberOfMessages${kind}`);
    return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
  }

  #call(action: string, input: object): Promise<unknown> {
    const body = JSON.stringify({ QueueUrl: 'work', ...input });
    return new Promise((resolve, reject) => {
      const noAnswer = (): void => reject(new NoAnswer(action));
      const sent = request({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        method: 'POST',
        headers: { 'x-amz-target': `AmazonSQS.${action}`, 'content-length': Buffer.byteLength(body) },
      });
      sent.on('error', noAnswer);
      sent.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', noAnswer);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (answer.statusCode !== 200) reject(new Error(`${action} was answered with ${answer.statusCode}: ${text}`));
          else resolve(text === '' ? {} : JSON.parse(text));
        });
      });
      sent.end(body);
    });
  }
}
