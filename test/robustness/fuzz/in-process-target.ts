/**
 * A broker within this process, on connections without sockets and a clock that is turned: several times as many inputs a
 * second as over sockets, each of them the same every time. What only sockets and a disk can show is not seen here.
 */
import type { Broker } from '../../../src/broker/broker.js';
import { FakeChannel, type ManualClock } from '../support/fake-channel.js';
import { acknowledgement, PINGREQ } from '../support/packets.js';
import { chunksOf } from './chunks.js';
import { judge } from './client-judge.js';
import { Conversation } from './conversation.js';
import { Finding } from './finding.js';
import { bytesOf, type FuzzInput, type Script } from './fuzz-input.js';
import { Violation } from './strict-reader.js';
import { verdictOn } from './verdict.js';

/** A broker that is new, and what it takes to drive it. */
export interface DrivenBroker {
  readonly broker: Broker;
  readonly clock: ManualClock;
  /** What it has logged as errors. */
  readonly errors: readonly string[];
}

/** Turns of the event loop that answers may take. */
const TURNS = 6;
/** As long as a slow consumer is waited for, and how often one connection may meet one. */
const GRACE_MS = 250;
const GRACE_PERIODS = 20;
/** Connections that stay open behind their input, so that others meet them. */
const LINGERING = 8;

export class InProcessTarget {
  readonly #driven: DrivenBroker;
  readonly #lingering: FakeChannel[] = [];
  #inputs = 0;

  constructor(driven: DrivenBroker) {
    this.#driven = driven;
  }

  async play(input: FuzzInput): Promise<Finding | undefined> {
    const { broker, clock, errors } = this.#driven;
    try {
      const players = input.scripts.map((script) => new ChannelPlayer(broker, script, input.scripts.length > 1));
      for (const player of players) player.send();
      await turns();
      for (const player of players) player.ask();
      await turns();
      // A publisher is held for a slow consumer until its time of grace is over.
      for (let wait = 0; wait < GRACE_PERIODS && players.some((player) => player.verdict() !== undefined); wait++) {
        clock.advance(GRACE_MS);
        await turns();
      }
      for (const player of players) player.finish();
      for (const player of players) this.#keep(player.channel);
    } catch (error) {
      if (error instanceof Finding) return error;
      if (error instanceof Violation) return new Finding('conversation', error.message);
      return new Finding('crash', `an exception came out of the broker: ${(error as Error).stack}`);
    }
    if (++this.#inputs % 16 === 0) clock.advance(700);
    return errors.length === 0 ? undefined : new Finding('log', errors.join('\n'));
  }

  /** Loses all connections and lets what is kept expire. */
  async close(): Promise<Finding | undefined> {
    const { broker, clock } = this.#driven;
    for (const channel of this.#lingering) channel.lose();
    await turns();
    clock.advance(10 * 60_000);
    const left = broker.connectionCount;
    await broker.stop(0);
    return left === 0 ? undefined : new Finding('leftover', `${left} connections are left`);
  }

  #keep(channel: FakeChannel): void {
    if (!channel.isEnded) this.#lingering.push(channel);
    // Lingering clients are silent: their conversation is over, and they go in the order in which they came.
    if (this.#lingering.length > LINGERING) this.#lingering.shift()?.lose(this.#inputs % 2 === 0 ? 'ended' : 'error');
  }
}

class ChannelPlayer {
  readonly channel = new FakeChannel();
  readonly #script: Script;
  readonly #isContested: boolean;
  readonly #expectation;
  readonly #conversation: Conversation;
  #read = 0;
  #hasLeft = false;

  constructor(broker: Broker, script: Script, isContested: boolean) {
    this.#script = script;
    this.#isContested = isContested;
    this.#expectation = judge(bytesOf(script));
    this.#conversation = new Conversation(this.#expectation);
    this.channel.keeps = true;
    broker.attach(this.channel);
  }

  send(): void {
    const { reading, ending } = this.#script.delivery;
    for (const chunk of chunksOf(this.#script)) {
      this.channel.receive(Buffer.from(chunk));
      if (reading === 'late') this.channel.mustWait = true;
    }
    if (ending === 'wait') return;
    this.#hasLeft = !this.channel.isEnded;
    if (this.#hasLeft) this.channel.lose(ending === 'reset' ? 'error' : 'ended');
  }

  /** Answers what has come, and asks whether the broker is still there. */
  ask(): void {
    if (this.channel.mustWait) this.channel.drain();
    this.#readWritten();
    const { course } = this.#expectation;
    if (this.channel.isEnded || course !== 'lasting') return;
    if (this.#script.delivery.answering === 'settle') this.#reply();
    this.#conversation.onPing();
    this.channel.receive(PINGREQ);
  }

  verdict(): Finding | undefined {
    this.#readWritten();
    return verdictOn(this.#expectation, this.#conversation, {
      isEndedByBroker: this.channel.isEnded && !this.#hasLeft,
      isContested: this.#isContested,
      isObserved: !this.#hasLeft,
    });
  }

  finish(): void {
    const finding = this.verdict();
    if (finding !== undefined) throw finding;
  }

  #reply(): void {
    for (const reply of this.#conversation.takeReplies()) {
      this.#conversation.onReplied(reply);
      this.channel.receive(acknowledgement(reply.type, reply.packetId));
    }
  }

  #readWritten(): void {
    const { written } = this.channel;
    while (this.#read < written.length) this.#conversation.push(written[this.#read++] as Buffer);
    if (this.channel.isEnded) this.#conversation.end();
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
