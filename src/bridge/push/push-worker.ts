/**
 * Takes messages from one queue and sends each to the target, so many at a time: a consumer of the queue like any other.
 *
 *   request ─▶ onWork ─▶ arrived ──(a turn of its own)──▶ in flight ──status──▶ acknowledge, refuse
 *
 * What it has is its own until it says what became of it: no lease runs out while a request is on its way. Verbs of the queue are called in
 * turns of the event loop of its own, never while a message is being routed.
 */
import type { Clock } from '../../core/clock.js';
import { LinkedList } from '../../core/linked-list.js';
import type { TimingWheel } from '../../core/timing-wheel.js';
import type { WorkConsumer, WorkDelivery, WorkReceiver, WorkSource } from '../../core/work-source.js';
import { CircuitBreaker, type TargetState } from './circuit-breaker.js';
import { PushCounters, type PushFailure } from './push-counters.js';
import type { PushEndpoint, PushLoad } from './push-endpoint.js';
import { type PushOutcome, PushRequest, type PushRequestOwner } from './push-request.js';
import { parseRetryAfter } from './retry-after.js';

/** A target that wants us to come back at once would be asked without end. */
const SHORTEST_PAUSE_MS = 1000;

/** Where changes of a target's state are told. */
export interface PushLog {
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
}

export interface LastFailure {
  readonly atMs: number;
  readonly reason: string;
}

export class PushWorker implements WorkReceiver, PushRequestOwner {
  readonly queue: string;
  readonly counters = new PushCounters();
  readonly #endpoint: PushEndpoint;
  readonly #consumer: WorkConsumer;
  readonly #clock: Clock;
  readonly #wheel: TimingWheel;
  readonly #log: PushLog;
  readonly #breaker: CircuitBreaker;
  readonly #inFlight = new LinkedList<PushRequest>();
  #arrived: WorkDelivery[] = [];
  #isPumpDue = false;
  #lastFailure: LastFailure | null = null;
  /** It has been told that the target takes no messages. */
  #isToldDown = false;
  /** Set when it stops: called when nothing is in flight any more. */
  #onIdle: (() => void) | null = null;
  #isClosed = false;

  constructor(
    queue: string,
    endpoint: PushEndpoint,
    source: WorkSource,
    clock: Clock,
    wheel: TimingWheel,
    log: PushLog,
  ) {
    this.queue = queue;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#wheel = wheel;
    this.#log = log;
    this.#breaker = new CircuitBreaker(endpoint.target.breaker, clock, () => this.#ask());
    this.#consumer = source.open(queue, `webhook ${endpoint.origin}`, this);
  }

  get origin(): string {
    return this.#endpoint.origin;
  }

  get state(): TargetState {
    return this.#breaker.state;
  }

  /** Requests whose end has not come. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  get lastFailure(): LastFailure | null {
    return this.#lastFailure;
  }

  start(): void {
    this.#ask();
  }

  /** May be called while a message is being routed, with messages that this turn has placed. */
  onWork(deliveries: readonly WorkDelivery[]): void {
    for (const delivery of deliveries) this.#arrived.push(delivery);
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    setImmediate(() => {
      this.#isPumpDue = false;
      if (!this.#isClosed) this.#pump();
    });
  }

  onOutcome(request: PushRequest, outcome: PushOutcome): void {
    if (outcome.kind === 'failed') this.#onFailed(request, outcome.failure, outcome.reason);
    else if (outcome.status >= 200 && outcome.status < 300) this.#onTaken(request, outcome.failedItems);
    else this.#onAnswered(request, outcome.status, outcome.retryAfter);
    this.#tellState();
  }

  onFree(request: PushRequest): void {
    this.#wheel.cancel(request);
    this.#inFlight.delete(request);
    if (this.#onIdle === null) this.#pump();
    else if (this.#inFlight.size === 0) this.#onIdle();
  }

  /** Takes no more. @returns when the answers to what is in flight have come, or {@link close} is called */
  drain(): Promise<void> {
    this.#breaker.stop();
    this.#consumer.cancelRequest();
    this.#giveBackArrived();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#inFlight.size === 0) resolve();
    });
  }

  /** Breaks off what is in flight: it goes back to the queue. */
  close(): void {
    this.#isClosed = true;
    this.#breaker.stop();
    this.#giveBackArrived();
    for (const request of this.#inFlight) {
      this.#wheel.cancel(request);
      if (!request.hasOutcome) this.counters.abandoned++;
      request.abort();
    }
    this.#consumer.close(false);
    this.#endpoint.close();
  }

  // ---------------------------------------------------------------- out

  #pump(): void {
    const { concurrency } = this.#endpoint.target;
    // All of them before the first is sent: that may fail at once, and have this called again.
    const loads: PushLoad[] = [];
    for (let room = this.#breaker.roomFor(this.#inFlight.size, concurrency); room > 0; room--) {
      const load = this.#takeLoad();
      if (load === null) break;
      loads.push(load);
    }
    for (const load of loads) this.#send(load);
    // Asked for before the target went down: others may take it.
    if (this.#breaker.isWaiting) this.#giveBackArrived();
    this.#ask();
  }

  /** What goes into the next request; null if nothing has arrived. */
  #takeLoad(): PushLoad | null {
    const [first] = this.#arrived;
    if (first === undefined) return null;
    const { batch } = this.#endpoint.target;
    const load =
      batch === null
        ? this.#endpoint.loadOf(this.queue, first)
        : this.#endpoint.batchOf(this.queue, this.#arrived, this.#mostInBatch(batch.maxMessages));
    this.#arrived.splice(0, load.deliveries.length);
    return load;
  }

  /**
   * A message that has been tried before goes alone, and so does a probe: one that no target can take fails the whole batch with it, and must
   * not use up the attempts of the others each time.
   */
  #mostInBatch(maxMessages: number): number {
    if (this.#breaker.state === 'probing') return 1;
    const tried = this.#arrived.findIndex(({ attempt }) => attempt > 1);
    return tried === -1 ? maxMessages : Math.max(1, Math.min(tried, maxMessages));
  }

  #send(load: PushLoad): void {
    const request = new PushRequest(this.#endpoint, load, this);
    this.counters.requests++;
    this.#inFlight.add(request);
    this.#wheel.arm(request, this.#clock.now() + this.#endpoint.target.timeoutMs);
    request.send();
  }

  #ask(): void {
    if (this.#isClosed || this.#onIdle !== null) return;
    const { concurrency, batch } = this.#endpoint.target;
    const requests = this.#breaker.roomFor(this.#inFlight.size, concurrency);
    // No more than one batch: how large messages are is known when they are there.
    const most = batch === null || this.#breaker.state === 'probing' ? requests : requests && batch.maxMessages;
    const room = most - this.#arrived.length;
    if (this.#breaker.isWaiting) this.#consumer.cancelRequest();
    else if (room > 0) this.#consumer.request(room);
  }

  #giveBackArrived(): void {
    for (const delivery of this.#arrived.splice(0)) this.#consumer.refuse(delivery, false, 0);
  }

  // ---------------------------------------------------------------- and what came of it

  /** @param failedItems ids of messages that are not done, although the target has taken the request */
  #onTaken({ load }: PushRequest, failedItems: ReadonlySet<string>): void {
    this.#breaker.onDelivered();
    if (failedItems.size > 0) this.#noteFailure('the answer names messages of a batch that have failed');
    for (const delivery of load.deliveries) {
      if (failedItems.has(delivery.id)) {
        this.counters.fail('item');
        this.#consumer.refuse(delivery, true);
      } else {
        this.counters.delivered++;
        this.#consumer.acknowledge(delivery);
      }
    }
  }

  #onAnswered({ load }: PushRequest, status: number, retryAfter: string | null): void {
    this.#noteFailure(`status ${status}`);
    const pauseMs = status === 429 || status === 503 ? this.#pauseOf(retryAfter) : null;
    if (status === 410) {
      this.counters.gone++;
      this.#breaker.onGone();
      this.#refuse(load, false, 0);
    } else if (pauseMs !== null) {
      this.counters.throttled++;
      this.#breaker.onThrottled(pauseMs);
      this.#refuse(load, false, pauseMs);
    } else {
      this.counters.fail(failureOfStatus(status));
      this.#breaker.onFailed();
      this.#refuse(load, true);
    }
  }

  #onFailed({ load }: PushRequest, failure: PushFailure, reason: string): void {
    this.#noteFailure(reason);
    this.counters.fail(failure);
    this.#breaker.onFailed();
    this.#refuse(load, true);
  }

  #refuse({ deliveries }: PushLoad, isCounted: boolean, delayMs?: number): void {
    for (const delivery of deliveries) this.#consumer.refuse(delivery, isCounted, delayMs);
  }

  #pauseOf(retryAfter: string | null): number | null {
    const asked = retryAfter === null ? null : parseRetryAfter(retryAfter, this.#endpoint.timeOfDayMs());
    if (asked === null) return null;
    return Math.max(SHORTEST_PAUSE_MS, Math.min(asked, this.#endpoint.target.longestPauseMs));
  }

  #noteFailure(reason: string): void {
    this.#lastFailure = { atMs: this.#clock.now(), reason };
  }

  /** Once for each change, and not for pauses: a target that takes so many messages a second has one after the other. */
  #tellState(): void {
    const { state } = this.#breaker;
    const isDown = state === 'down' || state === 'gone';
    if (this.#isToldDown ? state !== 'up' : !isDown) return;
    this.#isToldDown = isDown;
    const facts = { queue: this.queue, target: this.origin };
    if (isDown) this.#log.warn({ ...facts, state, reason: this.#lastFailure?.reason }, 'a webhook takes no messages');
    else this.#log.info(facts, 'a webhook takes messages again');
  }
}

function failureOfStatus(status: number): PushFailure {
  if (status >= 300 && status < 400) return 'redirect';
  return status >= 400 && status < 500 ? 'client-error' : 'server-error';
}
