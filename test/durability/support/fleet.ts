/**
 * All clients of a run, as one: connect, load, cut, reconnect, drain, finish. Its clock is the number of messages that
 * the broker has taken: clients break off, come back and change their subscriptions after so many of them, not after so
 * many milliseconds.
 */
import { ChangingSubscriber } from './changing-subscriber.js';
import { CHANGING, PUBLISHERS, RETAINED_PUBLISHERS, SUBSCRIBERS, WILLS } from './fleet-plan.js';
import { Publisher } from './publisher.js';
import { setSentinel } from './read-retained.js';
import { RetainedPublisher } from './retained-publisher.js';
import type { RunBook } from './run-book.js';
import { ConnectionLost, type SessionClient } from './session-client.js';
import { Subscriber } from './subscriber.js';
import { WillClient } from './will-client.js';

/** Per message taken: that one of those who come and go breaks off, and that a subscription is changed. */
const BREAK_CHANCE = 1 / 60;
const CHANGE_CHANCE = 1 / 50;
const DEATH_CHANCE = 1 / 200;
/** Of a client, in a round where some go deaf. The first publisher never does: somebody must go on. */
const DEAF_CHANCE = 0.4;
/** Messages taken until a broken client comes back, at most. */
const LONGEST_ABSENCE = 150;

interface Member {
  readonly client: SessionClient;
  connect(port: number): Promise<void>;
}

export class Fleet {
  readonly #book: RunBook;
  readonly #publishers: readonly Publisher[];
  readonly #retainedPublishers: readonly RetainedPublisher[];
  readonly #subscribers: readonly Subscriber[];
  readonly #changing: ChangingSubscriber;
  readonly #wills: readonly WillClient[];
  /** Who breaks off now and then. */
  readonly #goers: readonly Member[];
  /** Who comes back, at which count of messages taken. */
  #returns: { readonly at: number; readonly member: Member }[] = [];
  readonly #deaf: Member[] = [];
  #port = 0;
  #isUp = false;
  #isLoading = false;

  constructor(book: RunBook) {
    this.#book = book;
    this.#publishers = PUBLISHERS.map((plan) => new Publisher(plan, book));
    this.#retainedPublishers = RETAINED_PUBLISHERS.map((plan) => new RetainedPublisher(plan, book));
    this.#subscribers = SUBSCRIBERS.map((plan) => new Subscriber(plan, book));
    this.#changing = new ChangingSubscriber(CHANGING.clientId, CHANGING.version, CHANGING.filters, book);
    this.#wills = WILLS.map((plan) => new WillClient(plan, book));
    this.#goers = [
      ...this.#publishers.filter(({ plan }) => plan.comesAndGoes === true),
      ...this.#subscribers.filter(({ plan }) => plan.habit === 'comes and goes'),
    ];
    book.onAccepted = () => this.#onTick();
  }

  /** Everybody connects and subscribes; those who stay away leave again. */
  async setUp(port: number): Promise<void> {
    this.#arrive(port);
    await setSentinel(port);
    const subscribing = [...this.#subscribers, this.#changing, ...this.#publishers, ...this.#retainedPublishers];
    await Promise.all(
      subscribing.map(async (member) => {
        await member.connect(port);
        await member.subscribe();
      }),
    );
    await this.sendAway();
    await this.#connectWills();
  }

  /** Publishers publish, goers go, from now on until the broker is cut off or the load is paused. */
  load(): void {
    this.#isLoading = true;
    for (const publisher of this.#everyPublisher()) publisher.load();
  }

  pause(): void {
    this.#isLoading = false;
    for (const publisher of this.#everyPublisher()) publisher.pause();
  }

  /** Those who stay away begin to fetch what has gathered, without being waited for. */
  beginFetching(): void {
    for (const member of this.#awayOnes()) this.#comeBack(member);
  }

  /**
   * Some clients hear nothing more from the broker, until it is cut off: it goes on with what they have sent, and what it
   * answers is lost. Then only what it has stored keeps it from taking a repeated QoS 2 message for another one.
   */
  deafenSome(): void {
    const { random } = this.#book;
    const [, ...publishers] = this.#publishers;
    for (const member of [...publishers, ...this.#retainedPublishers, ...this.#subscribers, this.#changing]) {
      if (!random.chance(DEAF_CHANCE)) continue;
      member.client.goDeaf();
      this.#deaf.push(member);
    }
  }

  /** The broker dies in this very turn. Resolves through {@link waitUntilCut}. */
  recordCut(): void {
    this.pause();
    this.#isUp = false;
    this.#returns = [];
    for (const will of this.#wills) will.recordCut();
    for (const { client } of this.#everybody()) client.expectLoss();
    for (const { client } of this.#deaf.splice(0)) client.destroy();
  }

  /** Breaks every connection from our side. */
  sever(): void {
    for (const { client } of this.#everybody()) client.destroy();
  }

  /** Everything that the broker had sent has been read, and every connection is closed. */
  waitUntilCut(): Promise<void> {
    return this.#untilClosed(this.#everybody());
  }

  /** Everybody but those who stay away, and but the clients whose wills are still to come, connects again. */
  async reconnect(port: number): Promise<void> {
    this.#arrive(port);
    const present = [...this.#subscribers.filter(({ plan }) => plan.habit !== 'stays away'), this.#changing];
    await this.#connectAll([...present, ...this.#everyPublisher()]);
  }

  /** Waits for the wills of the last cut, and has their clients connect with new ones. */
  async renewWills(): Promise<void> {
    const watcher = this.#subscribers.find(({ plan }) => plan.clientId === 's-wills-2');
    const { ledger, changes } = this.#book;
    await changes.until(
      () => watcher !== undefined && ledger.missing(watcher.receiver) === 0,
      () => `wills: ${ledger.describeMissing()}`,
    );
    await this.#connectWills();
  }

  /** Everybody is there and gets everything: nothing is under way any more when this resolves. */
  async drain(): Promise<void> {
    this.pause();
    this.#returns = [];
    const { ledger, changes } = this.#book;
    const clients: Member[] = [...this.#subscribers, this.#changing, ...this.#everyPublisher()];
    await this.#untilSettled(clients);
    await this.#connectAll(clients.filter(({ client }) => client.isClosed));
    await changes.until(
      () => ledger.missing() === 0 && clients.every(({ client }) => client.isConnected && client.underWay === 0),
      () => `what is owed: ${ledger.describeMissing()}; under way: ${this.#describeUnderWay()}`,
      60_000,
    );
  }

  async sendAway(): Promise<void> {
    const away = this.#awayOnes();
    for (const { client } of away) client.disconnect();
    await this.#untilClosed(away);
  }

  /**
   * The end of a run: wills taken back, everything drained, a last message on every topic, so that whatever the broker
   * would still have repeated or sent late comes before it, every answer given, everybody gone in good order.
   */
  async finish(): Promise<void> {
    this.pause();
    for (const will of this.#wills) will.disconnect();
    await this.#untilClosed(this.#wills);
    await this.drain();
    for (const publisher of this.#publishers) publisher.publishLast();
    await this.drain();
    await this.#leaveInOrder();
  }

  /** Comes back once more and leaves: what was answered before a goodbye must not come again. */
  async visit(port: number): Promise<void> {
    this.#arrive(port);
    await this.#connectAll([...this.#subscribers, this.#changing]);
    await this.#leaveInOrder();
  }

  async #leaveInOrder(): Promise<void> {
    const receivers = [...this.#subscribers, this.#changing];
    for (const { client } of receivers) client.answerAll();
    await Promise.all(receivers.map(({ client }) => client.ping()));
    // A PUBREL is answered as it comes; the second round trip sees the answers of the first through.
    await Promise.all(receivers.map(({ client }) => client.ping()));
    this.#isUp = false;
    for (const { client } of this.#everybody()) client.disconnect();
    await this.#untilClosed(this.#everybody());
  }

  #arrive(port: number): void {
    this.#port = port;
    this.#isUp = true;
  }

  async #connectWills(): Promise<void> {
    const absent = this.#wills.filter(({ client }) => client.isClosed);
    await Promise.all(absent.map((will) => will.connect(this.#port)));
  }

  async #connectAll(members: readonly Member[]): Promise<void> {
    await Promise.all(members.map((member) => member.connect(this.#port)));
  }

  #onTick(): void {
    if (!this.#isLoading || !this.#isUp) return;
    const { random, acceptances } = this.#book;
    const due = this.#returns.filter(({ at }) => at <= acceptances);
    if (due.length > 0) this.#returns = this.#returns.filter(({ at }) => at > acceptances);
    for (const { member } of due) this.#comeBack(member);
    if (random.chance(BREAK_CHANCE)) this.#breakOff(random.pick(this.#goers));
    if (random.chance(CHANGE_CHANCE)) this.#changing.change();
    if (random.chance(DEATH_CHANCE)) this.#wills.find(({ plan }) => plan.fate === 'dies')?.die();
  }

  #breakOff(member: Member): void {
    const { random, acceptances } = this.#book;
    if (!member.client.isConnected) return;
    if (random.chance(0.5)) member.client.destroy();
    else member.client.disconnect();
    // Who is back at once repeats what the broker has not even stored yet.
    if (random.chance(0.4)) this.#comeBack(member);
    else this.#returns.push({ at: acceptances + random.integer(1, LONGEST_ABSENCE), member });
  }

  /** Connects a client that may still be closing; that the broker dies meanwhile is in the nature of the run. */
  #comeBack(member: Member): void {
    const coming = async (): Promise<void> => {
      await this.#untilClosed([member]);
      if (this.#isUp) await member.connect(this.#port);
    };
    coming().catch((error: unknown) => {
      if (!(error instanceof ConnectionLost)) this.#book.changes.fail(error as Error);
    });
  }

  #untilClosed(members: readonly Member[]): Promise<void> {
    return this.#book.changes.until(
      () => members.every(({ client }) => client.isClosed),
      () => `connections to close: ${nameThose(members, ({ client }) => !client.isClosed)}`,
    );
  }

  /** Nobody is between two states. */
  #untilSettled(members: readonly Member[]): Promise<void> {
    return this.#book.changes.until(
      () => members.every(({ client }) => client.isClosed || client.isConnected),
      () =>
        `connections to be made or closed: ${nameThose(members, ({ client }) => !client.isClosed && !client.isConnected)}`,
    );
  }

  #awayOnes(): Subscriber[] {
    return this.#subscribers.filter(({ plan }) => plan.habit === 'stays away');
  }

  #everyPublisher(): readonly (Publisher | RetainedPublisher)[] {
    return [...this.#publishers, ...this.#retainedPublishers];
  }

  #everybody(): readonly Member[] {
    return [...this.#everyPublisher(), ...this.#subscribers, this.#changing, ...this.#wills];
  }

  #describeUnderWay(): string {
    return this.#everyPublisher()
      .filter(({ client }) => client.underWay > 0)
      .map(({ plan, client }) => `${plan.clientId} ${client.underWay}`)
      .join(', ');
  }
}

function nameThose(members: readonly Member[], are: (member: Member) => boolean): string {
  return members
    .filter(are)
    .map(({ client }) => client.options.clientId)
    .join(', ');
}
