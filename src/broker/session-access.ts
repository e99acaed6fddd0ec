/**
 * What the rules say of one session: which subscriptions it may make, and whether its messages have to be looked at one by one. If the
 * rules permit every topic of every subscription, which is so for most, messages pass without being asked about.
 *
 *   subscriptions   sites/7/#  permitted as a whole ─▶ nobody asks      sites/#  in part ─▶ each message is asked about
 *
 * After a change of the rules, each session asks for its next message, and finds out then whether it has to go on asking.
 */
import type { ClientAccess } from '../auth/access/client-access.js';
import type { Identity } from '../auth/identity.js';
import type { Session } from '../sessions/session.js';
import type { SessionGuard } from '../sessions/session-guard.js';
import type { StoredOwner } from '../store/catalogue-records.js';
import type { BrokerContext } from './broker-context.js';

/** Of a session with more subscriptions, messages are asked about: to look at all of them would hold others up. */
const MOST_EXAMINED = 1000;

export class SessionAccess implements SessionGuard {
  readonly client: ClientAccess;
  readonly #session: Session;
  #examinedVersion = -1;

  private constructor(client: ClientAccess, session: Session) {
    this.client = client;
    this.#session = session;
  }

  /**
   * Guards the session as its owner may use it.
   * @returns null if he may do everything
   */
  static guard({ access }: BrokerContext, session: Session, owner: StoredOwner): SessionAccess | null {
    const { username, roles, rules } = owner;
    const client = access.accessOf({ username, clientId: session.clientId, roles, rules });
    const guard = client === null ? null : new SessionAccess(client, session);
    session.guardWith(guard);
    return guard;
  }

  /** @returns false if the subscription is refused @param filter without `$share/name/` */
  admits(filter: string): boolean {
    const coverage = this.client.examine(filter);
    if (!this.client.maySubscribe(coverage)) return false;
    if (coverage !== 'all') this.#session.askGuard(true);
    return true;
  }

  mayReceive(topic: string): boolean {
    if (this.#examinedVersion !== this.client.version) this.#examine();
    return this.client.mayReceive(topic);
  }

  onRulesChanged(): void {
    this.#session.askGuard(true);
  }

  #examine(): void {
    this.#examinedVersion = this.client.version;
    const { subscriptions } = this.#session;
    this.#session.askGuard(subscriptions.size > MOST_EXAMINED || !this.#coversAll());
  }

  #coversAll(): boolean {
    for (const { topicFilter } of this.#session.subscriptions) {
      if (this.client.examine(topicFilter.path) !== 'all') return false;
    }
    return true;
  }
}

/** What is kept with a session and a will of whoever connected. */
export function ownerOf({ username, roles, rules }: Identity): StoredOwner {
  return { username, roles, rules };
}
