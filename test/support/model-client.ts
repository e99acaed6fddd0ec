/**
 * A client as the specification has it, on the other side of a session: acknowledges what it gets when the test says
 * so, knows a repeated QoS 2 message by its packet identifier, and outlives connections and crashes of the broker.
 * It notes what it was promised, and judges what it gets by it.
 */
import type { Message, Qos } from '../../src/core/message.js';
import type { Publication } from '../../src/core/publication.js';
import type { DeliveryOptions } from '../../src/core/subscriber.js';
import type { Session } from '../../src/sessions/session.js';
import type { SessionFront } from '../../src/sessions/session-front.js';
import type { BrokerParts } from './broker-parts.js';
import { naivelyMatches } from './naive-matcher.js';

/** One message that the broker has taken for this client's session. */
interface Promised {
  /** Filters through which it came, without the shared ones. */
  readonly filters: Set<string>;
  /** How often ordinary subscriptions bring it: 0 or 1. */
  ordinary: number;
  /** How often groups gave it to this session, by the identifier of the shared subscription. */
  readonly shared: Map<number, number>;
  /** Of those, the ones whose subscription has ended: they need not come. */
  readonly sharedGivenUp: Set<number>;
  /** How often subscriptions at QoS 0 bring it: it need not come, but may, and at a higher QoS if they are raised. */
  atQos0: number;
  /** It must come: its publisher has, or would have, an acknowledgement. */
  isRequired: boolean;
  /** The client has unsubscribed from all filters through which it came. */
  isGivenUp: boolean;
  /** The client has published it itself. */
  readonly isPublishedHere: boolean;
}

function nothingPromised(isPublishedHere = false): Promised {
  return {
    filters: new Set(),
    ordinary: 0,
    shared: new Map(),
    sharedGivenUp: new Set(),
    atQos0: 0,
    isRequired: true,
    isGivenUp: false,
    isPublishedHere,
  };
}

/** Subscription Identifiers from this one on are those of shared subscriptions. */
const SHARED_FROM = 100;
/** Stands for the copy that ordinary subscriptions bring. */
const ORDINARY = 0;
/** Identifier that a filter is subscribed to with: the same at all clients. */
const identifiers = new Map<string, number>();

function identifierOf(filter: string): number {
  const known = identifiers.get(filter);
  if (known !== undefined) return known;
  const identifier = (filter.startsWith('$share/') ? SHARED_FROM : 1) + identifiers.size;
  identifiers.set(filter, identifier);
  return identifier;
}

/** By what a copy comes: the identifier of its shared subscription, or {@link ORDINARY}; undefined for a mixture. */
function kindOf(listed: readonly number[] | null): number | undefined {
  if (listed === null || listed.every((identifier) => identifier < SHARED_FROM)) return ORDINARY;
  return listed.length === 1 ? listed[0] : undefined;
}

interface Answer {
  readonly kind: 'puback' | 'pubrec' | 'pubcomp';
  readonly packetId: number;
}

export class ModelClient implements SessionFront {
  readonly clientId: string;
  readonly expirySeconds: number;
  session: Session | null = null;
  isConnected = false;
  hasRoom = true;
  readonly knowsRetainAsPublished = true;
  /** What it should not have got, or should have. */
  readonly failures: string[] = [];
  /** Since the session began. */
  #promised = new Map<number, Promised>();
  /** How often each message came, repeats of QoS 2 not counted; of QoS 1 repeats marked as such not either. */
  #taken = new Map<string, number>();
  #takenAtQos2 = new Map<string, number>();
  /** What has been granted to its subscriptions since the session began, by identifier. */
  #granted = new Map<number, Set<Qos>>();
  #seen = new Set<number>();
  #qos2Ids = new Set<number>();
  /** QoS 1 messages that it has and has not acknowledged. */
  #qos1Ids = new Set<number>();
  #lastFirst: [number, number, number] = [0, 0, 0];
  #answers: Answer[] = [];
  /** PUBREL that wait for the journal: ticket and packet identifier. */
  #releases: [ticket: number, packetId: number][] = [];
  #epoch = 0;
  /** The broker has crashed since the session began: what it had not acknowledged may be missing or come again. */
  #hasCrashed = false;
  #parts: BrokerParts;

  constructor(clientId: string, expirySeconds: number, parts: BrokerParts) {
    this.clientId = clientId;
    this.expirySeconds = expirySeconds;
    this.#parts = parts;
  }

  // ---------------------------------------------------------------- what the test has it do

  connect(cleanStart: boolean, receiveMaximum: number): void {
    if (this.isConnected) this.disconnect();
    const { session, isPresent } = this.#parts.sessions.open(this.clientId, cleanStart, this.expirySeconds, null);
    if (!isPresent) this.#forget();
    if (session !== this.session) this.#adopt(session);
    this.#answers = [];
    this.#releases = [];
    this.hasRoom = true;
    this.isConnected = true;
    this.#epoch = session.attach(this, receiveMaximum);
    session.resume();
  }

  disconnect(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.#parts.sessions.close(this.session as Session, this.#epoch, true);
    if (this.session?.isKept === false) this.#end();
  }

  setRoom(hasRoom: boolean): void {
    this.hasRoom = hasRoom;
    this.#pump();
  }

  subscribe(filter: string, qos: Qos, noLocal: boolean): void {
    if (!this.isConnected) return;
    const identifier = identifierOf(filter);
    this.#parts.subscribe(this.session as Session, filter, { qos, noLocal, identifier });
    this.#granted.set(identifier, (this.#granted.get(identifier) ?? new Set()).add(qos));
    if (noLocal) this.#giveUp(filter, true);
  }

  unsubscribe(filter: string): void {
    if (!this.isConnected) return;
    this.#parts.unsubscribe(this.session as Session, filter);
    this.#giveUp(filter, false);
  }

  /** What waits through this filter alone need not come any more. */
  #giveUp(filter: string, isOnlyOwn: boolean): void {
    const identifier = identifierOf(filter);
    for (const promised of this.#promised.values()) {
      if (!isOnlyOwn && promised.shared.has(identifier)) promised.sharedGivenUp.add(identifier);
      if (isOnlyOwn && !promised.isPublishedHere) continue;
      if (promised.filters.delete(filter) && promised.filters.size === 0) promised.isGivenUp = true;
    }
  }

  /** Sends up to `count` of the answers that are due. @returns how many */
  answer(count: number): number {
    if (!this.isConnected) return 0;
    const answers = this.#answers.splice(0, count);
    for (const answer of answers) this.#send(answer);
    this.#pump();
    return answers.length;
  }

  /** The journal has settled more. */
  onSettled(): void {
    if (!this.isConnected) return;
    const settled = this.#parts.store.settledTicket;
    const due = this.#releases.filter(([ticket]) => ticket <= settled);
    this.#releases = this.#releases.filter(([ticket]) => ticket > settled);
    for (const [, packetId] of due) this.#onPubrel(packetId);
    this.session?.onSettled();
  }

  /** @param lost messages that nobody had acknowledged to their publishers */
  onCrash(parts: BrokerParts, lost: ReadonlySet<number>): void {
    this.#parts = parts;
    const before = this.session;
    this.isConnected = false;
    const session = parts.sessions.find(this.clientId) ?? null;
    for (const id of lost) {
      const promised = this.#promised.get(id);
      if (promised !== undefined) promised.isRequired = false;
    }
    // An end, or a beginning, that was not settled has not happened.
    if (session === null || session.number !== before?.number) this.#end();
    this.#hasCrashed = true;
    this.#qos1Ids.clear();
    // What came before, and was lost with the crash, says nothing about the order of what comes now.
    this.#lastFirst = [0, 0, 0];
    this.session = session;
    if (session !== null) this.#watch(session);
  }

  // ---------------------------------------------------------------- judgement

  /** What was promised and has not come. To be asked for when nothing waits any more. */
  get missing(): string[] {
    const missing: string[] = [];
    for (const [id, { ordinary, shared, sharedGivenUp, isRequired, isGivenUp }] of this.#promised) {
      if (!isRequired) continue;
      const copies = new Map(shared).set(ORDINARY, isGivenUp ? 0 : ordinary);
      for (const [kind, count] of copies) {
        if (sharedGivenUp.has(kind)) continue;
        for (let copy = this.#taken.get(`${id}/${kind}`) ?? 0; copy < count; copy++)
          missing.push(`message ${id} for ${this.clientId}, by ${kind}`);
      }
    }
    return missing;
  }

  #judgeOrder(id: number, qos: Qos): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const last = this.#lastFirst[qos];
    if (id < last) this.failures.push(`message ${id} came to ${this.clientId} at QoS ${qos} after ${last}`);
    this.#lastFirst[qos] = id;
  }

  #judgeCount(id: number, qos: Qos, message: Message, kind: number): void {
    const key = `${id}/${kind}`;
    const taken = (this.#taken.get(key) ?? 0) + 1;
    this.#taken.set(key, taken);
    const takenAtQos2 = (this.#takenAtQos2.get(key) ?? 0) + (qos === 2 ? 1 : 0);
    this.#takenAtQos2.set(key, takenAtQos2);
    const promised = this.#promised.get(id);
    const { ordinary, shared, atQos0 } = promised ?? nothingPromised();
    // After a crash an unsubscription, or the end of a session, that was not settled has not happened.
    if (promised === undefined && this.#hasCrashed) return;
    const copies = kind === ORDINARY ? (this.#isAskedFor(message) ? 1 : ordinary) : (shared.get(kind) ?? 0);
    if (takenAtQos2 > copies + atQos0) this.failures.push(`message ${key} came too often to ${this.clientId} at QoS 2`);
    if (this.#hasCrashed) return;
    if (taken > copies + atQos0) this.failures.push(`message ${key} came too often to ${this.clientId}`);
  }

  /** [MQTT-4.8.2-3] What a group gives to this client comes with what this subscription has been granted. */
  #judgeShared(id: number, qos: Qos, message: Message, kind: number): void {
    // After a crash an earlier subscription may be there again.
    if (kind === ORDINARY || this.#hasCrashed) return;
    const granted = [...(this.#granted.get(kind) ?? [])];
    if (granted.some((one) => Math.min(one, message.qos) === qos)) return;
    this.failures.push(`message ${id} came to ${this.clientId} by ${kind} at QoS ${qos}`);
  }

  /** Where others wait for a message of ours too, it may come to us when No Local has been switched off behind it. */
  #isAskedFor({ publisherId, topic }: Message): boolean {
    if (publisherId !== this.clientId) return false;
    const subscriptions = [...(this.session?.subscriptions ?? [])];
    return subscriptions.some(({ topicFilter, noLocal }) => !noLocal && naivelyMatches(topicFilter.path, topic));
  }

  // ---------------------------------------------------------------- what the session sends

  fits(): boolean {
    return true;
  }

  onCongested(): void {}

  onAwaitingCommit(): void {}

  onLoaded(): void {}

  sendPublication(
    publication: Publication,
    qos: Qos,
    packetId: number,
    _retain: boolean,
    listed: readonly number[] | null,
  ): void {
    this.#onPublish(publication.message, qos, packetId, listed, false);
  }

  sendMessage(message: Message, qos: Qos, packetId: number, _retain: boolean, listed: readonly number[] | null): void {
    this.#onPublish(message, qos, packetId, listed, false);
  }

  resendPublish(
    message: Message,
    qos: Qos,
    packetId: number,
    _retain: boolean,
    listed: readonly number[] | null,
  ): void {
    this.#onPublish(message, qos, packetId, listed, true);
  }

  resendPubrel(packetId: number): void {
    this.#onPubrel(packetId);
  }

  #onPublish(
    message: Message,
    qos: Qos,
    packetId: number,
    listed: readonly number[] | null,
    isDuplicate: boolean,
  ): void {
    if (!this.isConnected) this.failures.push(`${this.clientId} got something without a connection`);
    const id = Number.parseInt(message.payload.toString(), 10);
    if (qos > message.qos) this.failures.push(`message ${id} came at QoS ${qos}, above its own`);
    if (qos === 1) this.#answers.push({ kind: 'puback', packetId });
    if (qos === 2) {
      this.#answers.push({ kind: 'pubrec', packetId });
      if (this.#qos2Ids.has(packetId)) {
        if (!isDuplicate) this.failures.push(`${this.clientId} has identifier ${packetId} in use`);
        return;
      }
      this.#qos2Ids.add(packetId);
    }
    if (qos !== 0) this.#judgeOrder(id, qos);
    if (qos === 1) {
      // What waited for the disk when the last connection ended is marked as repeated, but is not.
      const isRepeated = isDuplicate && this.#qos1Ids.has(packetId);
      this.#qos1Ids.add(packetId);
      if (isRepeated) return;
    }
    const kind = kindOf(listed);
    if (kind === undefined) this.failures.push(`message ${id} has the identifiers ${listed} of two deliveries`);
    else if (message.qos > 0) {
      this.#judgeCount(id, qos, message, kind);
      this.#judgeShared(id, qos, message, kind);
    }
  }

  #onPubrel(packetId: number): void {
    this.#qos2Ids.delete(packetId);
    this.#answers.push({ kind: 'pubcomp', packetId });
  }

  #send({ kind, packetId }: Answer): void {
    const session = this.session as Session;
    if (kind === 'puback') {
      this.#qos1Ids.delete(packetId);
      session.onPuback(packetId, false);
    } else if (kind === 'pubcomp') session.onPubcomp(packetId);
    else {
      const ticket = session.onPubrec(packetId);
      if (ticket > this.#parts.store.settledTicket) this.#releases.push([ticket, packetId]);
      else this.#onPubrel(packetId);
    }
  }

  #pump(): void {
    if (this.isConnected) this.session?.pump();
  }

  // ---------------------------------------------------------------- its session

  #adopt(session: Session): void {
    this.#end();
    this.session = session;
    this.#watch(session);
  }

  /** Notes what the router hands to the session. */
  #watch(session: Session): void {
    const deliver = session.deliver.bind(session);
    session.deliver = (options, publication) => {
      if (this.isConnected || session.isKept) this.#note(options, publication.message, session);
      deliver(options, publication);
    };
  }

  #note({ qos, streams, identifiers: listed }: DeliveryOptions, message: Message, session: Session): void {
    const id = Number.parseInt(message.payload.toString(), 10);
    const promised = this.#promised.get(id) ?? nothingPromised(message.publisherId === this.clientId);
    this.#promised.set(id, promised);
    const kind = kindOf(listed) ?? ORDINARY;
    if (Math.min(qos, message.qos) === 0) promised.atQos0++;
    else if (kind !== ORDINARY) promised.shared.set(kind, (promised.shared.get(kind) ?? 0) + 1);
    else {
      promised.ordinary = 1;
      for (const { filter, stream } of session.subscriptions) {
        if (stream !== null && streams?.includes(stream) === true) promised.filters.add(filter);
      }
    }
  }

  /** The session is over, and what was promised with it. */
  #end(): void {
    this.#promised.clear();
    this.#taken.clear();
    this.#takenAtQos2.clear();
    this.#granted.clear();
    this.#seen.clear();
    this.#lastFirst = [0, 0, 0];
    this.#hasCrashed = false;
    this.session = null;
    this.#forget();
  }

  /** [MQTT-3.1.2-5] Without a session at the broker there is none here. */
  #forget(): void {
    this.#qos1Ids.clear();
    this.#qos2Ids.clear();
  }
}
