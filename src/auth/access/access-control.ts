/** Who may do what: the rules in force. They are replaced as a whole, and hold from then on for everybody who is there already. */
import { InvalidState } from '../../core/errors.js';
import { AccessRules } from './access-rules.js';
import { ClientAccess, type RightsSource } from './client-access.js';
import type { ClientRights } from './client-rights.js';
import type { Principal } from './principal.js';
import type { RoleBook } from './role-book.js';

/**
 * What becomes of a SUBSCRIBE of which nothing may be received: `strict` refuses it, `mosquitto` accepts it. What is delivered is the same.
 */
export type SubscribeCheck = 'strict' | 'mosquitto';

export class AccessControl implements RightsSource {
  readonly refusesVainSubscriptions: boolean;
  /** Who brings no rules along may do everything. */
  readonly isOpen: boolean;
  #rules: AccessRules;
  #version = 0;
  #onChanged: () => void = () => {};

  /** @param rules null if everything is allowed, except to clients whose credentials bring rules along */
  constructor(rules: AccessRules | null, subscribeCheck: SubscribeCheck = 'strict') {
    this.isOpen = rules === null;
    this.#rules = rules ?? new AccessRules(null, null);
    this.refusesVainSubscriptions = subscribeCheck === 'strict';
  }

  /** Of the rules in force. */
  get version(): number {
    return this.#version;
  }

  /** Those in force; null without a file of them. */
  get roles(): RoleBook | null {
    return this.#rules.roles;
  }

  /** What the client may do; null if that is everything, whatever comes. */
  accessOf(principal: Principal): ClientAccess | null {
    return this.isOpen && principal.rules.length === 0 ? null : new ClientAccess(this, principal);
  }

  rightsOf(principal: Principal): ClientRights {
    return this.#rules.rightsOf(principal);
  }

  /**
   * Puts other rules in force, at once and for everybody.
   * @throws InvalidState if there were none: clients that are connected would go on without
   */
  replace(rules: AccessRules): void {
    if (this.isOpen) throw new InvalidState('access control that was made without rules takes none later');
    this.#rules = rules;
    this.#version++;
    this.#onChanged();
  }

  /** @param listener takes the place of an earlier one */
  onChanged(listener: () => void): void {
    this.#onChanged = listener;
  }
}
