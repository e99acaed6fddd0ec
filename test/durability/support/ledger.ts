/**
 * The book of a run: what was sent, what was acknowledged, what arrived where, and what of that is wrong. It knows
 * nothing of connections and packets; clients write into it, a test asks it for the verdict.
 *
 * What it holds a broker to, for messages of QoS 1 and 2:
 *  - loss:       an acknowledged message reaches every receiver with a subscription that was acknowledged before the
 *                message was first sent, and that nobody has begun to remove
 *  - repetition: what was sent and is received at QoS 2 arrives once; QoS 1 may repeat, but what its sender has sent
 *                only once repeats with DUP, and in MQTT 5 only on another connection [MQTT-3.3.1-1] [MQTT-4.4.0-1]
 *  - order:      first arrivals of one sender, topic and QoS come in the order of sending, repeats left aside
 *                [MQTT-4.6.0-5]; not in a group, whose members share the messages out
 *  - intrusion:  nothing arrives that was never sent, that no subscription asked for, or that was withdrawn
 *  - expiry:     no first delivery after the message's time [MQTT-3.3.2-5], and what is left of it is told rightly
 *                [MQTT-3.3.2-6]; a message with a short time is never owed
 *
 * A receiver is whoever must get a message once: a session, or a group of sessions that share one subscription.
 */
import { naivelyMatches } from '../../support/naive-matcher.js';

/** Room for what lies between the broker's clock being read and ours, on a machine that has others to serve. */
const CLOCK_SLACK_MS = 5000;

/** Messages that may expire earlier are not owed to anybody: longer than any run. */
const OWED_FROM_EXPIRY_SECONDS = 3600;

export interface SentMessage {
  /** `sender:sequence`, unique in the run. */
  readonly key: string;
  readonly sender: string;
  readonly sequence: number;
  readonly topic: string;
  readonly qos: 1 | 2;
  readonly expirySeconds?: number;
}

export interface Arrival {
  /** The session that it came to: a member, where the receiver is a group. */
  readonly session: string;
  readonly connection: number;
  readonly version: 4 | 5;
  readonly key: string;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly isDuplicate: boolean;
  readonly expirySeconds: number | undefined;
}

/** One filter of one receiver, with the four moments of its life, in ticks of the ledger. */
export interface LedgerSubscription {
  readonly receiver: string;
  readonly filter: string;
  readonly qos: 1 | 2;
  readonly askedAt: number;
  grantedAt: number | undefined;
  leavingAt: number | undefined;
  goneAt: number | undefined;
}

type Outcome = 'under way' | 'acknowledged' | 'refused' | 'abandoned' | 'withdrawn';

interface MessageEntry {
  readonly message: SentMessage;
  readonly sentAt: number;
  readonly sentAtMs: number;
  readonly round: number;
  sends: number;
  lastSentAtMs: number;
  outcome: Outcome;
  acknowledgedAtMs: number | undefined;
}

interface ReceiverEntry {
  readonly name: string;
  readonly isGroup: boolean;
  readonly subscriptions: LedgerSubscription[];
  readonly arrivals: Map<string, ArrivalEntry[]>;
  /** Acknowledged messages that are still to come. */
  readonly missing: Set<string>;
  /** Highest sequence that has arrived, by sender, topic and both QoS. */
  readonly highest: Map<string, number>;
}

interface ArrivalEntry {
  readonly session: string;
  readonly connection: number;
}

export interface LedgerTotals {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly abandoned: number;
  readonly arrivals: number;
  readonly repeats: number;
  readonly missing: number;
}

export class Ledger {
  readonly #now: () => number;
  #tick = 0;
  #round = 0;
  readonly #messages = new Map<string, MessageEntry>();
  readonly #receivers = new Map<string, ReceiverEntry>();
  readonly #violations: string[] = [];
  #acknowledged = 0;
  #refused = 0;
  #abandoned = 0;
  #arrivals = 0;
  #repeats = 0;

  /** @param now milliseconds of the wall clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Messages are told apart by the round in which they were sent. */
  beginRound(round: number): void {
    this.#round = round;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** What has been found so far, apart from loss, which shows only at the end. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Something that a client has found itself. */
  recordViolation(text: string): void {
    this.#violations.push(`round ${this.#round}: ${text}`);
  }

  addReceiver(name: string, kind: 'session' | 'group' = 'session'): void {
    if (this.#receivers.has(name)) return;
    this.#receivers.set(name, {
      name,
      isGroup: kind === 'group',
      subscriptions: [],
      arrivals: new Map(),
      missing: new Set(),
      highest: new Map(),
    });
  }

  /** SUBSCRIBE is about to be sent: from now on messages may come. */
  recordSubscribing(receiver: string, filter: string, qos: 1 | 2): LedgerSubscription {
    const subscription: LedgerSubscription = {
      receiver,
      filter,
      qos,
      askedAt: ++this.#tick,
      grantedAt: undefined,
      leavingAt: undefined,
      goneAt: undefined,
    };
    this.#receiver(receiver).subscriptions.push(subscription);
    return subscription;
  }

  /** SUBACK has come: what is sent from now on must come. */
  recordSubscribed(subscription: LedgerSubscription): void {
    subscription.grantedAt = ++this.#tick;
  }

  /** UNSUBSCRIBE is about to be sent: nothing more is owed, not even what waits. */
  recordUnsubscribing(subscription: LedgerSubscription): void {
    subscription.leavingAt = ++this.#tick;
    const receiver = this.#receiver(subscription.receiver);
    for (const key of receiver.missing) {
      if (!isOwed(receiver, this.#message(key))) receiver.missing.delete(key);
    }
  }

  /** UNSUBACK has come: what is sent from now on must not come. */
  recordUnsubscribed(subscription: LedgerSubscription): void {
    subscription.goneAt = ++this.#tick;
  }

  /** The message is about to be sent for the first time. */
  recordSent(message: SentMessage): void {
    const sentAtMs = this.#now();
    this.#messages.set(message.key, {
      message,
      sentAt: ++this.#tick,
      sentAtMs,
      round: this.#round,
      sends: 1,
      lastSentAtMs: sentAtMs,
      outcome: 'under way',
      acknowledgedAtMs: undefined,
    });
  }

  recordSentAgain(key: string): void {
    const entry = this.#message(key);
    entry.sends += 1;
    entry.lastSentAtMs = this.#now();
  }

  /** The sender has the broker's word: the message is owed to its receivers. */
  recordAcknowledged(key: string): void {
    const entry = this.#message(key);
    if (entry.outcome === 'acknowledged') return;
    entry.outcome = 'acknowledged';
    entry.acknowledgedAtMs = this.#now();
    this.#acknowledged += 1;
    for (const receiver of this.#receivers.values()) {
      if (isOwed(receiver, entry) && !receiver.arrivals.has(key)) receiver.missing.add(key);
    }
  }

  recordRefused(key: string): void {
    this.#message(key).outcome = 'refused';
    this.#refused += 1;
  }

  /** Its sender does not know any more, and will not send it again. */
  recordAbandoned(key: string): void {
    const entry = this.#message(key);
    if (entry.outcome !== 'under way') return;
    entry.outcome = 'abandoned';
    this.#abandoned += 1;
  }

  /** It must not arrive: a will that was taken back. */
  recordWithdrawn(key: string): void {
    this.#message(key).outcome = 'withdrawn';
  }

  recordArrival(receiverName: string, arrival: Arrival): void {
    this.#arrivals += 1;
    const receiver = this.#receiver(receiverName);
    const entry = this.#messages.get(arrival.key);
    if (entry === undefined) {
      this.recordViolation(`${arrival.session} got "${arrival.key}" on ${arrival.topic}, which nobody sent`);
      return;
    }
    const earlier = receiver.arrivals.get(arrival.key);
    this.#checkOrigin(receiver, entry, arrival);
    this.#checkExpiry(entry, arrival, earlier === undefined);
    if (earlier === undefined) {
      this.#checkOrder(receiver, entry, arrival);
      receiver.arrivals.set(arrival.key, [{ session: arrival.session, connection: arrival.connection }]);
      receiver.missing.delete(arrival.key);
    } else {
      this.#repeats += 1;
      this.#checkRepeat(entry, arrival, earlier);
      earlier.push({ session: arrival.session, connection: arrival.connection });
    }
  }

  hasArrived(receiver: string, key: string): boolean {
    return this.#receiver(receiver).arrivals.has(key);
  }

  /** Acknowledged messages that this receiver, or all together, have still to get. */
  missing(receiver?: string): number {
    if (receiver !== undefined) return this.#receiver(receiver).missing.size;
    let total = 0;
    for (const { missing } of this.#receivers.values()) total += missing.size;
    return total;
  }

  /** How much is missing where, for the report of a wait that was in vain. */
  describeMissing(): string {
    return [...this.#receivers.values()]
      .filter(({ missing }) => missing.size > 0)
      .map(({ name, missing }) => `${name}: ${missing.size} (${[...missing].slice(0, 3).join(', ')} …)`)
      .join('; ');
  }

  totals(): LedgerTotals {
    return {
      sent: this.#messages.size,
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      abandoned: this.#abandoned,
      arrivals: this.#arrivals,
      repeats: this.#repeats,
      missing: this.missing(),
    };
  }

  /** Everything that was found, loss included: to be asked when nothing more can come. */
  verdict(): string[] {
    const losses = [...this.#receivers.values()].flatMap((receiver) =>
      [...receiver.missing].map((key) => this.#describeLoss(receiver, this.#message(key))),
    );
    return [...this.#violations, ...losses];
  }

  #checkOrigin(receiver: ReceiverEntry, entry: MessageEntry, { session, key, topic, qos }: Arrival): void {
    if (topic !== entry.message.topic) {
      this.recordViolation(`${session} got ${key} on ${topic}, but it was sent to ${entry.message.topic}`);
    }
    if (entry.outcome === 'withdrawn') this.recordViolation(`${session} got ${key}, which was withdrawn`);
    // Refused when it was sent again, it may still have been taken when it was sent first.
    if (entry.outcome === 'refused' && entry.sends === 1) {
      this.recordViolation(`${session} got ${key}, which the broker had refused`);
    }
    const asked = receiver.subscriptions.filter(
      ({ filter, goneAt = Number.POSITIVE_INFINITY }) =>
        naivelyMatches(pathOf(filter), entry.message.topic) && entry.sentAt < goneAt,
    );
    if (asked.length === 0) {
      this.recordViolation(`${session} got ${key} on ${topic}, which no subscription of its asks for`);
    } else if (!asked.some((subscription) => Math.min(subscription.qos, entry.message.qos) === qos)) {
      this.recordViolation(`${session} got ${key} at QoS ${qos}, sent at ${entry.message.qos}`);
    }
  }

  #checkExpiry(entry: MessageEntry, arrival: Arrival, isFirst: boolean): void {
    const { expirySeconds } = entry.message;
    if (expirySeconds === undefined) return;
    const nowMs = this.#now();
    const { acknowledgedAtMs } = entry;
    if (isFirst && !arrival.isDuplicate && acknowledgedAtMs !== undefined) {
      const lateMs = nowMs - acknowledgedAtMs - expirySeconds * 1000;
      if (lateMs > CLOCK_SLACK_MS) {
        this.recordViolation(`${describe(entry, arrival)} ${lateMs} ms after it had expired`);
      }
    }
    if (arrival.version !== 5) return;
    const { expirySeconds: left } = arrival;
    // Counted from its last sending, for the broker may have taken it only then; from its first for the lower bound.
    // A delivery that had begun in time is repeated even when nothing is left of it.
    const rest = expirySeconds - (nowMs - entry.lastSentAtMs - CLOCK_SLACK_MS) / 1000;
    const most = arrival.isDuplicate ? Math.max(rest, 1) : rest;
    const least = expirySeconds - (nowMs - entry.sentAtMs + CLOCK_SLACK_MS) / 1000;
    const isPlausible = left !== undefined && left <= expirySeconds && left >= least;
    // What waits with us, undelivered, while we are busy is not the broker's fault, and what was on its way when it
    // expired is sent again all the same [MQTT-4.4.0-1]: no upper bound for a repeat.
    if (!isPlausible || (isFirst && !arrival.isDuplicate && left > most)) {
      this.recordViolation(
        `${describe(entry, arrival)} with ${left} s left; it should be ${least.toFixed(1)} to ${most.toFixed(1)}`,
      );
    }
  }

  #checkOrder(receiver: ReceiverEntry, entry: MessageEntry, arrival: Arrival): void {
    if (receiver.isGroup) return;
    const { message, sends } = entry;
    // Sent twice, it is two messages; the earlier may have expired unseen, and the later stands where it was sent.
    if (message.qos === 1 && sends > 1 && !isAlwaysOwed(message)) return;
    const stream = `${message.sender} ${message.topic} ${message.qos} ${arrival.qos}`;
    const highest = receiver.highest.get(stream) ?? -1;
    if (message.sequence < highest) {
      this.recordViolation(`${describe(entry, arrival)} after ${message.sender}:${highest}: out of order`);
    }
    receiver.highest.set(stream, Math.max(highest, message.sequence));
  }

  #checkRepeat(entry: MessageEntry, arrival: Arrival, earlier: readonly ArrivalEntry[]): void {
    const { session, connection } = arrival;
    if (arrival.qos === 2) {
      this.recordViolation(`${describe(entry, arrival)} again; first on ${describeArrivals(earlier)}`);
      return;
    }
    // Who is connected gets it at QoS 1 before it is stored. What a crash makes the broker forget meanwhile comes anew with
    // the sender's repetition, and is another message for all that the broker knows; at QoS 2 as well.
    if (entry.sends > 1) return;
    const own = earlier.filter((other) => other.session === session);
    if (own.length > 0 && !arrival.isDuplicate) {
      this.recordViolation(`${describe(entry, arrival)} again without DUP; first on ${describeArrivals(own)}`);
    }
    if (arrival.version === 5 && own.some((other) => other.connection === connection)) {
      this.recordViolation(`${describe(entry, arrival)} again on the same connection`);
    }
  }

  #describeLoss({ name }: ReceiverEntry, { message, round }: MessageEntry): string {
    return `lost: ${message.key} (QoS ${message.qos} to ${message.topic}, acknowledged, sent in round ${round}) never reached ${name}`;
  }

  #message(key: string): MessageEntry {
    const entry = this.#messages.get(key);
    if (entry === undefined) throw new Error(`no message ${key}`);
    return entry;
  }

  #receiver(name: string): ReceiverEntry {
    const entry = this.#receivers.get(name);
    if (entry === undefined) throw new Error(`no receiver ${name}`);
    return entry;
  }
}

/** It will not expire during the run. */
function isAlwaysOwed({ expirySeconds = Number.POSITIVE_INFINITY }: SentMessage): boolean {
  return expirySeconds >= OWED_FROM_EXPIRY_SECONDS;
}

function isOwed(receiver: ReceiverEntry, { message, sentAt, outcome }: MessageEntry): boolean {
  if (outcome !== 'acknowledged' || !isAlwaysOwed(message)) return false;
  return receiver.subscriptions.some(
    ({ filter, grantedAt = Number.POSITIVE_INFINITY, leavingAt }) =>
      leavingAt === undefined && grantedAt < sentAt && naivelyMatches(pathOf(filter), message.topic),
  );
}

/** `$share/group/a/b` → `a/b` */
function pathOf(filter: string): string {
  return filter.startsWith('$share/') ? filter.split('/').slice(2).join('/') : filter;
}

/** `s got p:1 (QoS 2, sent 2 times in round 3) at QoS 1 with DUP on connection 4` */
function describe({ message, sends, round }: MessageEntry, arrival: Arrival): string {
  const { session, key, qos, isDuplicate, connection } = arrival;
  const mark = isDuplicate ? ' with DUP' : '';
  const times = sends === 1 ? 'once' : `${sends} times`;
  return `${session} got ${key} (QoS ${message.qos}, sent ${times} in round ${round}) at QoS ${qos}${mark} on connection ${connection}`;
}

function describeArrivals(arrivals: readonly ArrivalEntry[]): string {
  return arrivals.map(({ session, connection }) => `connection ${connection} of ${session}`).join(', ');
}
