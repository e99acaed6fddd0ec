/**
 * The account of messages that go through work queues. A message is known by its key; each copy of it in a queue by an id, since a
 * publisher at QoS 1 that hears no answer sends it again, and it is enqueued again.
 *
 * What may not happen:
 * - what was acknowledged to a publisher never comes to a worker, and is no dead letter either;
 * - what was published at QoS 2 is enqueued twice;
 * - a copy comes again although the broker has answered on the control topic that it is done: that answer waits for the disk;
 * - a copy comes again although a worker has sent PUBACK for it, and the connection has gone on for more than a second after that.
 *   PUBACK itself is answered by nothing: its effect is in the next commit, some milliseconds later, and may be lost until then. A
 *   second is room for a disk and a machine that are busy;
 * - in a group of a strict queue, a message comes before an earlier one is done.
 */
import type { WorkItem } from './worker-client.js';

const LONGEST_UNSETTLED_MS = 1000;

export interface QueuePlan {
  readonly name: string;
  /** One message of a group at a time, in the order in which they were published. */
  readonly isStrict?: boolean;
  /** Receives after which a message is a dead letter. */
  readonly maxReceives?: number;
  readonly delayMs?: number;
}

interface Published {
  readonly qos: 1 | 2;
  readonly queues: readonly string[];
  readonly group: string;
  readonly sequence: number;
  isAcknowledged: boolean;
  /** Its session is gone in the middle of it: another copy may be there. */
  isAbandoned: boolean;
  timesSent: number;
}

interface Copy {
  readonly queue: string;
  readonly key: string;
  deliveries: number;
  isRejected: boolean;
  state: 'open' | 'acknowledged' | 'promised';
  acknowledgedAtMs: number;
  /** On which PUBACK was sent. */
  connection: WorkConnection | null;
  /** A worker has said on the control topic that it is done, answered or not. */
  isAckSent: boolean;
}

/** One connection of a worker. */
export interface WorkConnection {
  /** When it was cut, by either side; infinity if it was not. */
  endedAtMs: number;
}

export interface WorkTotals {
  readonly published: number;
  readonly acknowledged: number;
  readonly deliveries: number;
  readonly promised: number;
  /** Came again after a PUBACK that was lost with a connection. */
  readonly repeated: number;
  readonly deadLetters: number;
}

export class WorkBook {
  readonly #plans: ReadonlyMap<string, QueuePlan>;
  readonly #published = new Map<string, Published>();
  readonly #copies = new Map<string, Copy>();
  /** By queue and key: ids of its copies. */
  readonly #ids = new Map<string, Set<string>>();
  /** By strict queue and group: sequence numbers that have come, in the order in which they first did, and are not done. */
  readonly #highest = new Map<string, number>();
  readonly #open = new Map<string, Map<number, string>>();
  readonly #violations: string[] = [];
  readonly #deadLetters = new Set<string>();
  #acknowledged = 0;
  #deliveries = 0;
  #promised = 0;
  #repeated = 0;

  constructor(plans: readonly QueuePlan[]) {
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get deliveries(): number {
    return this.#deliveries;
  }

  recordSent(key: string, qos: 1 | 2, queues: readonly string[], group: string, sequence: number): void {
    const fate = { isAcknowledged: false, isAbandoned: false, timesSent: 1 };
    this.#published.set(key, { qos, queues, group, sequence, ...fate });
  }

  recordSentAgain(key: string): void {
    this.#find(key).timesSent++;
  }

  recordAccepted(key: string): void {
    this.#find(key).isAcknowledged = true;
    this.#acknowledged++;
  }

  recordAbandoned(key: string): void {
    this.#find(key).isAbandoned = true;
  }

  recordViolation(text: string): void {
    this.#violations.push(text);
  }

  recordDelivery(item: WorkItem): void {
    this.#deliveries++;
    const { id, queue, key } = item;
    const published = this.#published.get(key);
    if (published === undefined) {
      this.recordViolation(`${queue}: ${key} was never published`);
      return;
    }
    if (item.deadReason !== undefined) {
      this.#recordDeadLetter(item);
      return;
    }
    const copy = this.#copies.get(id) ?? this.#newCopy(item);
    copy.deliveries++;
    if (copy.state === 'promised') this.recordViolation(`${queue}: ${key} comes again after its ack was answered`);
    else if (copy.state === 'acknowledged') this.#onRepeated(copy);
    const { delayMs = 0, isStrict = false } = this.#plans.get(queue) ?? {};
    if (item.firstReceivedAtMs - item.enqueuedAtMs < delayMs) {
      this.recordViolation(
        `${queue}: ${key} came ${delayMs - item.firstReceivedAtMs + item.enqueuedAtMs} ms too early`,
      );
    }
    if (isStrict) this.#checkOrder(queue, published, item);
  }

  /** A worker sends PUBACK. */
  recordAcknowledged({ id }: WorkItem, connection: WorkConnection, nowMs: number): void {
    const copy = this.#copies.get(id);
    if (copy === undefined || copy.state === 'promised') return;
    copy.state = 'acknowledged';
    copy.acknowledgedAtMs = nowMs;
    copy.connection = connection;
    this.#close(id, copy);
  }

  /** A worker says on the control topic that it is done: from now on it may be. */
  recordAckSent({ id }: WorkItem): void {
    const copy = this.#copies.get(id);
    if (copy === undefined) return;
    copy.isAckSent = true;
    this.#close(id, copy);
  }

  /** The broker has answered an ack on the control topic. */
  recordPromised({ id }: WorkItem): void {
    const copy = this.#copies.get(id);
    if (copy === undefined) return;
    this.#promised++;
    copy.state = 'promised';
  }

  recordRejected({ id }: WorkItem): void {
    const copy = this.#copies.get(id);
    if (copy !== undefined) copy.isRejected = true;
  }

  /** What is wrong when everything has been taken from everywhere. */
  verdict(): readonly string[] {
    const violations = [...this.#violations];
    for (const [key, { qos, queues, isAcknowledged, isAbandoned, timesSent }] of this.#published) {
      for (const queue of queues) {
        const copies = this.#ids.get(`${queue} ${key}`)?.size ?? 0;
        if (isAcknowledged && copies === 0) violations.push(`${queue}: ${key} was acknowledged, and never came`);
        const most = qos === 2 ? 1 : timesSent;
        if (copies > most && !isAbandoned)
          violations.push(`${queue}: ${key} was enqueued ${copies} times, not ${most}`);
      }
    }
    for (const [id, { queue, key, state, isAckSent }] of this.#copies) {
      if (state !== 'open' || isAckSent || this.#deadLetters.has(id)) continue;
      violations.push(`${queue}: ${key} has come, and was not done`);
    }
    return violations;
  }

  totals(): WorkTotals {
    return {
      published: this.#published.size,
      acknowledged: this.#acknowledged,
      deliveries: this.#deliveries,
      promised: this.#promised,
      repeated: this.#repeated,
      deadLetters: this.#deadLetters.size,
    };
  }

  #find(key: string): Published {
    const published = this.#published.get(key);
    if (published === undefined) throw new Error(`${key} was never sent`);
    return published;
  }

  #newCopy({ id, queue, key }: Pick<WorkItem, 'id' | 'queue' | 'key'>): Copy {
    const fate = { deliveries: 0, isRejected: false, isAckSent: false, state: 'open' as const };
    const copy: Copy = { queue, key, ...fate, acknowledgedAtMs: 0, connection: null };
    this.#copies.set(id, copy);
    const place = `${queue} ${key}`;
    const ids = this.#ids.get(place);
    if (ids === undefined) this.#ids.set(place, new Set([id]));
    else ids.add(id);
    return copy;
  }

  #onRepeated(copy: Copy): void {
    const lastedMs = (copy.connection?.endedAtMs ?? 0) - copy.acknowledgedAtMs;
    this.#repeated++;
    if (lastedMs > LONGEST_UNSETTLED_MS) {
      this.recordViolation(`${copy.queue}: ${copy.key} comes again, ${lastedMs} ms after PUBACK nothing had happened`);
    }
    copy.state = 'open';
  }

  /** A dead letter keeps its id. */
  #recordDeadLetter({ id, key, queue, deadReason, deadReceives }: WorkItem): void {
    const origin = [...this.#plans.values()].find(({ maxReceives }) => maxReceives !== undefined);
    if (this.#deadLetters.has(id)) return;
    this.#deadLetters.add(id);
    const copy = this.#copies.get(id) ?? this.#newCopy({ id, key, queue: origin?.name ?? queue });
    if (copy.state === 'promised') this.recordViolation(`${queue}: ${key} was done, and is a dead letter`);
    if (deadReason === 'rejected' ? !copy.isRejected : deadReceives < (origin?.maxReceives ?? 1)) {
      this.recordViolation(`${queue}: ${key} is there for ${deadReason} after ${deadReceives} receives`);
    }
  }

  #checkOrder(queue: string, { group, sequence }: Published, { id, key }: WorkItem): void {
    const place = `${queue} ${group}`;
    const open = this.#open.get(place) ?? new Map<number, string>();
    this.#open.set(place, open);
    for (const earlier of open.keys()) {
      if (earlier < sequence) this.recordViolation(`${queue}: ${key} came before ${earlier} of its group was done`);
    }
    const highest = this.#highest.get(place) ?? -1;
    const isFirst = (this.#ids.get(`${queue} ${key}`)?.size ?? 0) === 1 && this.#copies.get(id)?.deliveries === 1;
    if (isFirst && sequence < highest) this.recordViolation(`${queue}: ${key} came after ${highest} of its group`);
    if (sequence > highest) this.#highest.set(place, sequence);
    open.set(sequence, id);
  }

  #close(id: string, { queue, key }: Copy): void {
    const published = this.#published.get(key);
    if (published === undefined) return;
    const open = this.#open.get(`${queue} ${published.group}`);
    if (open?.get(published.sequence) === id) open.delete(published.sequence);
  }
}
