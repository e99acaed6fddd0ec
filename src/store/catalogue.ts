/**
 * Records what survives of sessions and queues except messages: sessions, their states, subscriptions, wills, retained
 * messages, queues. Each verb puts its change into the open group before it returns, and returns that group's ticket.
 * Memory is the authority while the broker runs; what is recorded here is read once, at start.
 *
 * Retained messages are noted and written when the group closes: a topic that changes a thousand times within a group
 * is written once. Whoever contributes to the level's groups calls `contribute`.
 */
import { InvalidState } from '../core/errors.js';
import type { Message } from '../core/message.js';
import { AedesPersistence } from './aedes-persistence.js';
import { noteKey, retainedKey, sessionKey, stateKey, subscriptionKey, willKey } from './catalogue-keys.js';
import { type CatalogueLoad, type CatalogueReceiver, loadCatalogue } from './catalogue-loader.js';
import type { StoredSession, StoredSubscription, StoredWill } from './catalogue-records.js';
import type { CommittedLevel } from './committed-level.js';
import type { CommitContributor } from './group-committer.js';
import { toPacket } from './message-packet.js';
import { encodeMap } from './msgpack-writer.js';
import { OpenGroupDatabase } from './open-group-database.js';
import { QueueCatalogue } from './queue-catalogue.js';
import { encodeSession } from './session-codec.js';
import { toSubscriptionPacket } from './subscription-packet.js';
import type { Ticket } from './ticket.js';

/** Writing one takes about 5 µs: so many do not hold up the event loop when the group closes. */
const MAXIMUM_NOTED_TOPICS = 256;

export class Catalogue implements CommitContributor {
  readonly queues: QueueCatalogue;
  readonly #level: CommittedLevel;
  readonly #database: OpenGroupDatabase;
  /** What became of a topic in the open group; null: removed. */
  #retained = new Map<string, Message | null>();

  constructor(level: CommittedLevel) {
    this.#level = level;
    this.queues = new QueueCatalogue(level);
    this.#database = new OpenGroupDatabase(level);
  }

  /** Reads everything that is settled. @returns how many records could not be read */
  load(receiver: CatalogueReceiver): Promise<CatalogueLoad> {
    return loadCatalogue(this.#level, receiver, this.queues);
  }

  sessionSaved(session: StoredSession): Ticket {
    return this.#level.putNow(sessionKey(session.clientId), encodeSession(session));
  }

  /** Forgets the session, its state and its subscriptions. Its will stays: `willRemoved` takes it. */
  sessionRemoved(session: Pick<StoredSession, 'clientId' | 'number'>, filters: Iterable<string>): Ticket {
    this.#level.delNow(sessionKey(session.clientId));
    this.#level.delNow(stateKey(session.number));
    const client = { id: session.clientId };
    return this.#write((persistence) => persistence.removeSubscriptions(client, [...filters]));
  }

  /** The state of a session: bytes that only sessions understand. They are copied. */
  stateSaved(sessionNumber: number, bytes: Buffer): Ticket {
    return this.#level.putNow(stateKey(sessionNumber), bytes);
  }

  subscriptionSaved(clientId: string, subscription: StoredSubscription): Ticket {
    // As the package would write it. Its own verb puts the filter into a trie first, and that refuses more than 100 levels.
    const record = encodeMap({ ...toSubscriptionPacket(subscription), clientId });
    return this.#level.putNow(subscriptionKey(clientId, subscription.filter), record);
  }

  subscriptionRemoved(clientId: string, filter: string): Ticket {
    return this.#level.delNow(subscriptionKey(clientId, filter));
  }

  willSaved(clientId: string, will: StoredWill): Ticket {
    const owner = will.owner === undefined ? {} : { owner: JSON.stringify(will.owner) };
    const packet = { ...toPacket(will.message), delaySeconds: will.delaySeconds, ...owner };
    return this.#write((persistence) => persistence.putWill({ id: clientId }, packet));
  }

  willRemoved(clientId: string): Ticket {
    // The package's delWill reads first, and would delete in a later group than the one that is told here.
    return this.#level.delNow(willKey(clientId));
  }

  /** @param message not empty; kept until the group closes */
  retainedSaved(message: Message): Ticket {
    return this.#noteRetained(message.topic, message);
  }

  retainedRemoved(topic: string): Ticket {
    return this.#noteRetained(topic, null);
  }

  /** @param bytes copied */
  noteSaved(name: string, bytes: Buffer): Ticket {
    return this.#level.putNow(noteKey(name), bytes);
  }

  noteRemoved(name: string): Ticket {
    return this.#level.delNow(noteKey(name));
  }

  /** Writes what was noted. Called when a group closes. */
  contribute(): void {
    const retained = this.#retained;
    if (retained.size === 0) return;
    // A Map that lives on has its tables among what is old, cleared or not, and until a full collection each of them keeps
    // alive what was noted in it.
    this.#retained = new Map();
    for (const [topic, message] of retained) {
      if (message === null) this.#level.delNow(retainedKey(topic));
      else this.#write((persistence) => persistence.storeRetained(toPacket(message)));
    }
  }

  #noteRetained(topic: string, message: Message | null): Ticket {
    const ticket = this.#level.requireCommit();
    this.#retained.set(topic, message);
    if (this.#retained.size >= MAXIMUM_NOTED_TOPICS) this.contribute();
    return ticket;
  }

  /**
   * Has the package write. A fresh instance each time: it keeps every subscription that it writes in a trie of its own,
   * walks all those of the filter on every subscribe, and is never asked for them.
   */
  #write(write: (persistence: AedesPersistence) => Promise<void>): Ticket {
    const ticket = this.#level.requireCommit();
    const { calls } = this.#database;
    // Its promise says nothing: whether the group gets to the disk, the ticket tells.
    write(new AedesPersistence(this.#database)).catch(() => {});
    if (this.#database.calls === calls) {
      throw new InvalidState('aedes-persistence-level did not write before it returned: its version does not fit');
    }
    return ticket;
  }
}
