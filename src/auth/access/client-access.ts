/**
 * What one client may do, by the rules as they are now. Asked for each message: what has been decided is kept for as long as the
 * rules stay the same, and for the last topic that was published to it is one comparison.
 */
import { topicOfQueue } from '../../topics/queue-topic.js';
import { AccessAction } from './access-action.js';
import type { ClientRights, Coverage } from './client-rights.js';
import { DecisionCache } from './decision-cache.js';
import type { Principal } from './principal.js';

/** A topic as publishers know it: the same object for as long as they publish to it. */
export interface PublishedTopic {
  readonly topic: string;
}

/** The rules in force, as a client's access sees them. */
export interface RightsSource {
  /** Changes with the rules. */
  readonly version: number;
  /** A SUBSCRIBE of which nothing may be received is refused. */
  readonly refusesVainSubscriptions: boolean;
  rightsOf(principal: Principal): ClientRights;
}

export class ClientAccess {
  readonly principal: Principal;
  readonly #source: RightsSource;
  #rights: ClientRights | null = null;
  /** Of the rules that everything below has been decided by. */
  #version = -1;
  #lastPublished: PublishedTopic | null = null;
  #mayPublishLast = false;
  /** No topic is empty. */
  #lastReceived = '';
  #mayReceiveLast = false;
  readonly #published = new DecisionCache();
  readonly #received = new DecisionCache();

  constructor(source: RightsSource, principal: Principal) {
    this.#source = source;
    this.principal = principal;
  }

  /** Changes with the rules. */
  get version(): number {
    return this.#source.version;
  }

  mayPublish(published: PublishedTopic): boolean {
    if (published === this.#lastPublished && this.#version === this.#source.version) return this.#mayPublishLast;
    const rights = this.#currentRights();
    let isAllowed = this.#published.find(published.topic);
    if (isAllowed === undefined) {
      isAllowed = rights.allowsPublish(published.topic);
      this.#published.keep(published.topic, isAllowed);
    }
    this.#lastPublished = published;
    this.#mayPublishLast = isAllowed;
    return isAllowed;
  }

  mayReceive(topic: string): boolean {
    // Messages of one publisher come one after the other: mostly this is the same string.
    if (topic === this.#lastReceived && this.#version === this.#source.version) return this.#mayReceiveLast;
    const rights = this.#currentRights();
    let isAllowed = this.#received.find(topic);
    if (isAllowed === undefined) {
      isAllowed = rights.allows(topic, AccessAction.Receive);
      this.#received.keep(topic, isAllowed);
    }
    this.#lastReceived = topic;
    this.#mayReceiveLast = isAllowed;
    return isAllowed;
  }

  /** Whether the client may take messages from a work queue. */
  mayTake(queue: string): boolean {
    return this.#currentRights().allows(topicOfQueue(queue), AccessAction.Take);
  }

  /** @param filter as the client subscribes to it, without `$share/name/` */
  examine(filter: string): Coverage {
    return this.#currentRights().examine(filter);
  }

  /** Whether SUBSCRIBE is answered with success: what of it is delivered is another matter. */
  maySubscribe(coverage: Coverage): boolean {
    return coverage !== 'none' || !this.#source.refusesVainSubscriptions;
  }

  #currentRights(): ClientRights {
    if (this.#rights !== null && this.#version === this.#source.version) return this.#rights;
    this.#version = this.#source.version;
    this.#published.clear();
    this.#received.clear();
    this.#lastPublished = null;
    this.#lastReceived = '';
    this.#rights = this.#source.rightsOf(this.principal);
    return this.#rights;
  }
}
