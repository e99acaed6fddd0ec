/**
 * Random work with queues, with crashes between and within commits, against a plain account of what was promised to whom:
 * nothing acknowledged comes back, nothing answered is lost, order and attempts are kept, ids are taken once.
 */
import { expect } from 'vitest';
import type { Consumer } from '../../src/queues/consumer.js';
import type { Delivery } from '../../src/queues/delivery.js';
import type { PeekPage } from '../../src/queues/peek.js';
import type { PeekOptions } from '../../src/queues/peek-options.js';
import type { PeekedMessage } from '../../src/queues/peeked-message.js';
import type { Queue } from '../../src/queues/queue.js';
import type { QueueOptions } from '../../src/queues/queue-options.js';
import type { Receive, Receiver } from '../../src/queues/receive.js';
import type { Command } from './queue-model-commands.js';
import { textOf } from './queue-world.js';
import type { CrashEnd, SteppedQueues } from './stepped-queues.js';

const MAX_RECEIVES = 3;
const WINDOW_MS = 3000;
const GROUPS = ['a', 'b', 'c'];
/** Turns of the final round: longer than any delay, for more messages than there can be. */
const DRAIN_ROUNDS = 60;

/** What is known of a message that was accepted. */
interface Accepted {
  readonly text: string;
  readonly id: string;
  readonly group: string;
  readonly order: number;
  readonly deduplicationId: string;
  /** Empty for none. */
  readonly key: string;
  readonly atMs: number;
  /** Of the enqueue; 0 when it has been settled. */
  ticket: number;
  /** Of the acknowledgement; -1 if there was none, 0 when it has been settled. */
  doneTicket: number;
  /** It has been in the dead-letter queue: it is later ones' turn in its group, also if it comes back. */
  isDeadLetter: boolean;
}

/** Of the queue that is worked with. */
export interface ModelledQueue {
  readonly type: 'standard' | 'fifo';
  readonly ordering: 'strict' | 'pipelined';
  readonly compactBy: 'none' | 'key';
}

export class QueueModel {
  readonly #world: SteppedQueues;
  readonly #options: Partial<QueueOptions>;
  readonly #accepted = new Map<string, Accepted>();
  /** With a key, promised to nobody, and gone in a crash. */
  readonly #perhapsReplaced = new Set<string>();
  #calls: Receive[] = [];
  #deliveries: { queue: string; delivery: Delivery }[] = [];
  #consumers: (ReturnType<Queue['openConsumer']> | null)[] = [null, null, null];
  /** The newest receive of each message that was answered. */
  readonly #generations = new Map<number, number>();
  /** By id, who got the message last: a consumer, or nobody in particular. */
  readonly #lastTakers = new Map<string, Consumer | null>();
  #order = 0;
  /** Starts of the process. */
  #lives = 1;
  /** Of an answer that should not have come: whoever answers is not to be disturbed by it. */
  #failure: unknown = null;

  constructor(world: SteppedQueues, queue: ModelledQueue) {
    this.#world = world;
    this.#options = {
      ...queue,
      visibilityTimeoutMs: 1000,
      maxMessages: 30,
      deadLetter: { queue: 'dead', maxReceives: MAX_RECEIVES },
      deduplication: { by: 'id', windowMs: WINDOW_MS },
      retry: { delaysMs: [0, 400] },
    };
    world.ensure('dead', { type: queue.type, visibilityTimeoutMs: 1000 });
    world.ensure('work', this.#options);
  }

  async play(commands: readonly Command[]): Promise<void> {
    await this.#world.commit();
    for (const command of commands) {
      await this.#do(command);
      if (this.#failure !== null) throw this.#failure;
      this.#noteDeadLetters();
      this.#noteSettled();
      for (const queue of this.#world.registry.queues()) expect(queue.missing).toBe(0);
    }
    await this.#drain();
  }

  async #do(command: Command): Promise<void> {
    const world = this.#world;
    switch (command.do) {
      case 'enqueue':
        this.#enqueue(command);
        break;
      case 'receive':
        this.#receive(command);
        break;
      case 'acknowledge':
      case 'refuse':
      case 'reject':
      case 'extend':
        this.#answer(command);
        break;
      case 'acknowledge-old':
        this.#acknowledgeOld(command.which);
        break;
      case 'cancel':
        this.#calls[command.which % Math.max(1, this.#calls.length)]?.cancel();
        break;
      case 'close-consumer':
        this.#closeConsumer(command.which % 3, command.isAbnormal);
        break;
      case 'advance':
        world.clock.advance(command.ms);
        break;
      case 'close':
        await world.close();
        break;
      case 'settle':
        await world.settle();
        break;
      case 'commit':
        await world.commit();
        break;
      case 'cool':
        world.cool();
        break;
      case 'load':
        await world.load();
        break;
      case 'redrive':
        this.#redrive(command);
        break;
      case 'peek':
        this.#peek(command);
        break;
      case 'crash':
        await this.#crash(command.end, command.downMs);
        break;
    }
  }

  #enqueue(command: Extract<Command, { do: 'enqueue' }>): void {
    const world = this.#world;
    const order = this.#order++;
    const deduplicationId = `${command.deduplicationId}`;
    const group = GROUPS[command.group] as string;
    const key = this.#options.compactBy !== 'key' || command.key === 0 ? '' : `${command.key}`;
    const text = `${order} ${'.'.repeat(command.bytes)}`;
    const outcome = world.enqueue(this.#queue('work'), text, {
      id: `id-${order}`,
      group,
      priority: command.priority,
      delayMs: command.delayMs,
      deduplicationId,
      key,
    });
    const nowMs = world.clock.now();
    const earlier = [...this.#accepted.values()].filter(
      (other) => other.deduplicationId === deduplicationId && nowMs - other.atMs < WINDOW_MS,
    );
    if (outcome.status === 'duplicate') {
      expect([...earlier.map(({ id }) => id), ...this.#perhapsReplaced]).toContain(outcome.id);
    } else if (outcome.status === 'enqueued') {
      expect(earlier).toEqual([]);
      this.#accepted.set(outcome.id, {
        text,
        id: outcome.id,
        group,
        order,
        deduplicationId,
        key,
        atMs: nowMs,
        ticket: outcome.ticket,
        doneTicket: -1,
        isDeadLetter: false,
      });
    } else expect(outcome.reason).toBe('queue-full');
  }

  #receive({ queue, max, perGroup, waitMs, consumer }: Extract<Command, { do: 'receive' }>): void {
    const name = queue === 0 ? 'work' : 'dead';
    if (queue === 0 && consumer > 0) this.#consumers[consumer] ??= this.#queue('work').openConsumer(`${consumer}`);
    const taker = queue === 0 ? this.#consumers[consumer] : null;
    const receive = this.#queue(name).receive(
      { max, maxPerGroup: perGroup, waitMs, ...(taker ? { consumer: taker, prefetch: 4 } : {}) },
      this.#receiverFor(name, taker ?? null),
    );
    this.#calls.push(receive);
  }

  #receiverFor(queue: string, taker: Consumer | null): Receiver {
    const order = this.#order;
    const lives = this.#lives;
    return {
      onReceived: (deliveries) => {
        // Whoever asked has gone with the process.
        if (lives !== this.#lives) return;
        try {
          this.#checkReceived(queue, deliveries, taker, order);
        } catch (error) {
          this.#failure ??= error;
        }
      },
    };
  }

  /** @param order of the first message that had not come when it was asked for */
  #checkReceived(queue: string, deliveries: readonly Delivery[], taker: Consumer | null, order: number): void {
    const inCall = new Set<string>();
    for (const delivery of deliveries) {
      const { id } = delivery.entry;
      const accepted = this.#accepted.get(id);
      expect(accepted, `${id} was never accepted`).toBeDefined();
      if (accepted === undefined) continue;
      expect(textOf(delivery)).toBe(accepted.text);
      expect(accepted.doneTicket, `${id} was acknowledged`).not.toBe(0);
      if (queue === 'work') {
        expect(delivery.attempt).toBeLessThanOrEqual(MAX_RECEIVES);
        // Who asked after the newer one had come does not get the older one; a dead letter may have come back behind it.
        if (!accepted.isDeadLetter) expect(this.#isReplaced(accepted, order), `${id} was replaced`).toBe(false);
      } else {
        expect(delivery.entry.origin).toMatchObject({ queue: 'work' });
      }
      if (this.#options.type === 'fifo' && queue === 'work') this.#checkOrder(accepted, inCall, taker);
      if (queue === 'work') this.#lastTakers.set(id, taker);
      expect(delivery.generation).toBeGreaterThan(this.#generations.get(delivery.sequence) ?? 0);
      this.#generations.set(delivery.sequence, delivery.generation);
      inCall.add(id);
      this.#deliveries.push({ queue, delivery });
    }
  }

  /** All earlier ones of the group are done, dead letters, or came just before in the same answer; or the consumer has them still. */
  #checkOrder(message: Accepted, inCall: ReadonlySet<string>, taker: Consumer | null): void {
    this.#noteDeadLetters();
    if (message.isDeadLetter) return;
    for (const other of this.#accepted.values()) {
      if (other.group !== message.group || other.order >= message.order) continue;
      const isOut =
        other.doneTicket !== -1 ||
        other.isDeadLetter ||
        this.#isReplaced(other) ||
        inCall.has(other.id) ||
        this.#isWith(other, taker);
      expect(isOut, `${message.id} overtook ${other.id}`).toBe(true);
    }
  }

  /** A newer message of its key has been accepted. @param before by that order */
  #isReplaced({ key, order }: Accepted, before = Number.POSITIVE_INFINITY): boolean {
    if (key === '') return false;
    return [...this.#accepted.values()].some(
      (other) => other.key === key && other.order > order && other.order < before,
    );
  }

  /** Of a pipelined queue: the consumer got it before, and has it still. */
  #isWith({ id }: Accepted, taker: Consumer | null): boolean {
    if (this.#options.ordering !== 'pipelined' || taker === null || this.#lastTakers.get(id) !== taker) return false;
    return taker.heldMessages().some(({ sequence }) => this.#world.idOf(sequence) === id);
  }

  #noteDeadLetters(): void {
    for (const id of this.#idsIn('dead')) {
      const accepted = this.#accepted.get(id);
      if (accepted !== undefined) accepted.isDeadLetter = true;
    }
  }

  #redrive({ perSecond, isCancelled, isOfChosen }: Extract<Command, { do: 'redrive' }>): void {
    const { registry } = this.#world;
    const ids = isOfChosen ? [...this.#idsIn('dead')].filter((_, at) => at % 2 === 0) : [];
    if (isCancelled) registry.cancelRedrive('dead');
    else if (registry.redriveProgress('dead')?.state !== 'running') {
      registry.startRedrive('dead', { perSecond, ...(ids.length > 0 ? { ids } : {}) });
    }
  }

  /** All pages together show what the queue has, once and in order. */
  #peek({ queue: at, max, state }: Extract<Command, { do: 'peek' }>): void {
    const queue = this.#queue(at === 0 ? 'work' : 'dead');
    const { ready, inFlight, delayed } = queue.statistics;
    const counts = { any: ready + inFlight + delayed, ready, 'in-flight': inFlight, delayed };
    const shown: PeekedMessage[] = [];
    for (let afterSequence: number | null = 0; afterSequence !== null; ) {
      const asked: PeekOptions = { max, afterSequence, ...(state === 'any' ? {} : { state }) };
      let page: PeekPage | null = null;
      const peek = queue.peek(asked, {
        onPeeked: (given) => {
          page = given;
        },
      });
      if (page === null) {
        // Something is not in memory, and is read some time or never.
        if (max === 1) peek.cancel();
        return;
      }
      const { messages, cursor } = page as PeekPage;
      shown.push(...messages);
      afterSequence = cursor;
    }
    expect(shown.length).toBe(counts[state]);
    for (const [place, { sequence, message, entry }] of shown.entries()) {
      expect(sequence).toBeGreaterThan(shown[place - 1]?.sequence ?? 0);
      expect(message.payload.toString()).toBe(this.#accepted.get(entry.id)?.text);
    }
  }

  /** Messages of a queue, as the log sees it. */
  #idsIn(name: string): Set<string> {
    return this.#world.idsOf(this.#queue(name).number);
  }

  #answer({ do: verb, which: at, ms }: Extract<Command, { which: number; ms: number }>): void {
    if (this.#deliveries.length === 0) return;
    const [{ queue: name, delivery }] = this.#deliveries.splice(at % this.#deliveries.length, 1) as [
      { queue: string; delivery: Delivery },
    ];
    const queue = this.#queue(name);
    const handles = [delivery.receiptHandle];
    if (verb === 'acknowledge') this.#onAcknowledged(delivery, queue.acknowledge(handles)[0] as string, queue);
    else if (verb === 'refuse') queue.refuse(handles, ms === 300 ? {} : { delayMs: ms });
    else if (verb === 'extend') queue.extend(handles, ms);
    else if (name === 'work') queue.reject(handles);
    if (verb === 'extend') this.#deliveries.push({ queue: name, delivery });
  }

  #onAcknowledged(delivery: Delivery, outcome: string, queue: Queue): void {
    const accepted = this.#accepted.get(delivery.entry.id) as Accepted;
    if (outcome === 'done') accepted.doneTicket = queue.lastTicket;
    else expect(['already-done', 'receipt-expired']).toContain(outcome);
  }

  /** A handle of long ago, or of before a crash. */
  #acknowledgeOld(at: number): void {
    const old = this.#deliveries[at % Math.max(1, this.#deliveries.length)];
    if (old === undefined) return;
    const queue = this.#queue(old.queue);
    this.#onAcknowledged(old.delivery, queue.acknowledge([old.delivery.receiptHandle])[0] as string, queue);
  }

  #closeConsumer(at: number, isAbnormal: boolean): void {
    const consumer = this.#consumers[at];
    if (consumer) this.#queue('work').closeConsumer(consumer, isAbnormal);
    this.#consumers[at] = null;
  }

  #noteSettled(): void {
    const settled = this.#world.settledTicket;
    for (const accepted of this.#accepted.values()) {
      if (accepted.ticket <= settled) accepted.ticket = 0;
      if (accepted.doneTicket > 0 && accepted.doneTicket <= settled) accepted.doneTicket = 0;
    }
  }

  async #crash(end: CrashEnd, downMs: number): Promise<void> {
    this.#noteSettled();
    this.#lives++;
    this.#calls = [];
    this.#consumers = [null, null, null];
    await this.#world.crash(end, downMs);
    const there = new Set([...this.#idsIn('work'), ...this.#idsIn('dead')]);
    // Who has promised nothing replaces nothing. Whether it was replaced itself in the last commit, or never written, nobody knows.
    for (const { id, key, ticket, doneTicket } of [...this.#accepted.values()]) {
      if (ticket === 0 || doneTicket !== -1 || there.has(id)) continue;
      this.#accepted.delete(id);
      if (key !== '') this.#perhapsReplaced.add(id);
    }
    expect(there.size, 'a message stands in two queues').toBe(this.#world.messages);
    this.#noteDeadLetters();
    for (const accepted of [...this.#accepted.values()]) {
      const { id, ticket, doneTicket } = accepted;
      if (doneTicket === 0) {
        expect(there, `${id} came back`).not.toContain(id);
      } else if (there.has(id)) {
        accepted.ticket = 0;
        accepted.doneTicket = -1;
      } else if (doneTicket > 0) {
        // Nobody was told that it is done, but it is.
        accepted.doneTicket = 0;
      } else {
        expect(ticket !== 0 || this.#isReplaced(accepted), `${id} is lost`).toBe(true);
      }
    }
    for (const id of there) expect([...this.#accepted.keys()]).toContain(id);
    // Tickets begin anew.
    for (const accepted of this.#accepted.values()) accepted.ticket = 0;
  }

  /** In the end everything that was accepted is received and acknowledged. */
  async #drain(): Promise<void> {
    const world = this.#world;
    for (const consumer of [0, 1, 2]) this.#closeConsumer(consumer, false);
    for (const receive of this.#calls) receive.cancel();
    for (let round = 0; round < DRAIN_ROUNDS && !this.#isEmpty; round++) {
      world.clock.advance(1000);
      for (const name of ['work', 'dead']) {
        this.#queue(name).receive({ max: 10 }, this.#receiverFor(name, null));
        await world.load();
        await world.commit();
        if (this.#failure !== null) throw this.#failure;
        for (const { queue: from, delivery } of this.#deliveries.splice(0)) {
          const source = this.#queue(from);
          this.#onAcknowledged(delivery, source.acknowledge([delivery.receiptHandle])[0] as string, source);
        }
      }
    }
    await world.commit();
    await world.load();
    this.#noteSettled();
    const left = [...this.#accepted.values()].filter(({ doneTicket }) => doneTicket !== 0);
    expect(left.filter((accepted) => !this.#isReplaced(accepted))).toEqual([]);
    for (const queue of world.registry.queues()) {
      expect(queue.statistics).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, bytes: 0, groups: 0 });
      expect(queue.missing).toBe(0);
    }
    expect(world.messages).toBe(0);
  }

  get #isEmpty(): boolean {
    return this.#idsIn('work').size + this.#idsIn('dead').size === 0;
  }

  #queue(name: string): Queue {
    const queue = this.#world.registry.find(name);
    if (queue === undefined) throw new RangeError(`no queue ${name}`);
    return queue;
  }
}
