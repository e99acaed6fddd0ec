/**
 * Asked about every client on its way in, and told how it went: bans, waits after failed logins, connections for each user, clients
 * that come and go, and two that fight for one client id. What it decides is told in the audit log.
 *
 *   CONNECT ─▶ refusalBefore ─▶ authentication ─▶ onFailedLogin
 *                                    └─────────▶ refusalOf ─▶ session, onConnected … onDisconnected
 */

import type { Logger } from 'pino';
import { addressKey } from '../../core/address-key.js';
import type { AuditLog } from '../../core/audit-log.js';
import type { Clock } from '../../core/clock.js';
import type { CloseReason } from '../../core/close-reason.js';
import { loggable } from '../../core/loggable-text.js';
import type { NoticeLimit } from '../../core/notice-limit.js';
import { ReasonCode } from '../../core/reason-code.js';
import type { Journal } from '../../store/journal.js';
import type { ClientInfo } from '../broker-events.js';
import type { OverloadGuard } from '../overload-guard.js';
import type { Refusal } from '../refusal.js';
import type { Ban } from './ban.js';
import { BanList } from './ban-list.js';
import type { DefenceOptions } from './defence-options.js';
import { LoginGuard } from './login-guard.js';
import { Occurrences } from './occurrences.js';
import { TakeoverWatch } from './takeover-watch.js';
import { UserConnections } from './user-connections.js';

/** Who wants in, by its own account. */
export interface ConnectAttempt {
  readonly clientId: string;
  readonly username: string | null;
  readonly remoteAddress: string;
  readonly listener: string;
  /** Of the certificate that it has shown. */
  readonly subject: string | null;
}

export interface GuardedConnection {
  /** Null before it is accepted. */
  readonly clientInfo: ClientInfo | null;
  close(reason: CloseReason, reasonCode?: ReasonCode): void;
}

export interface ConnectGuardContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notices: NoticeLimit;
  readonly audit: AuditLog;
  readonly journal: Pick<Journal, 'noteSaved' | 'noteRemoved'>;
  readonly overload: OverloadGuard;
  /** Connected clients by client id. */
  readonly connections: ReadonlyMap<string, GuardedConnection>;
}

const BANNED: Refusal = { reasonCode: ReasonCode.Banned, message: 'the client is banned' };

export class ConnectGuard {
  readonly bans: BanList;
  readonly #context: ConnectGuardContext;
  readonly #options: DefenceOptions;
  readonly #logins: LoginGuard;
  readonly #users: UserConnections;
  readonly #takeovers: TakeoverWatch;
  readonly #connects: Occurrences;

  /** @throws InvalidArgument for a configured ban of an address that is none */
  constructor(options: DefenceOptions, context: ConnectGuardContext) {
    this.#options = options;
    this.#context = context;
    this.bans = new BanList(options.banned, context.clock, context.journal, (ban) => this.#onBanned(ban));
    this.#logins = new LoginGuard(options, context.clock);
    this.#users = new UserConnections(options.connectionsPerUser);
    this.#takeovers = new TakeoverWatch(options);
    this.#connects = new Occurrences(options.flappingWindowMs);
  }

  /** Before anybody looks at its credentials. */
  refusalBefore({ clientId, username, remoteAddress }: ConnectAttempt): Refusal | null {
    const { bans } = this;
    const { overload } = this.#context;
    if (overload.state !== 'normal') {
      overload.refusedConnects++;
      return { reasonCode: ReasonCode.ServerBusy, message: 'the broker is overloaded: try again later' };
    }
    if (bans.size > 0) {
      const ban =
        bans.findClient(clientId) ??
        (username === null ? undefined : bans.findUser(username)) ??
        bans.findAddress(remoteAddress);
      if (ban !== undefined) return refusalOfBan(ban);
    }
    const waitMs = this.#logins.waitMs(remoteAddress, username);
    if (waitMs === 0) return null;
    const message = 'too many failed logins: try again later';
    return { reasonCode: ReasonCode.ConnectionRateExceeded, message, detail: `${message}, in ${waitMs} ms` };
  }

  /** How long to wait before its credentials are looked at, ms. */
  delayMs(username: string | null): number {
    return this.#logins.delayMs(username);
  }

  /** It could not show who it is. */
  onFailedLogin({ username, remoteAddress, listener }: ConnectAttempt): void {
    const waitMs = this.#logins.onFailure(remoteAddress, username);
    if (waitMs === 0) return;
    const keptBack = this.#context.notices.offer('failed logins');
    if (keptBack === null) return;
    const about = {
      username: username === null ? null : loggable(username),
      remoteAddress,
      listener,
      waitMs,
      keptBack,
    };
    this.#context.logger.warn(about, 'too many failed logins: further attempts are refused for a while');
  }

  /** It has shown who it is. @param username as its credentials say */
  refusalOf({ clientId, remoteAddress }: ConnectAttempt, username: string | null): Refusal | null {
    this.#logins.onSuccess(remoteAddress, username);
    const banned = username === null ? undefined : this.bans.findUser(username);
    if (banned !== undefined) return refusalOfBan(banned);
    const holder = this.#context.connections.get(clientId)?.clientInfo ?? null;
    if (!this.#users.hasRoom(username, holder?.username === username)) {
      return { reasonCode: ReasonCode.QuotaExceeded, message: 'the user has as many connections as it may have' };
    }
    return holder === null ? null : this.#refusalOfTakeover(holder, remoteAddress);
  }

  /** @param subject of the certificate that it has shown */
  onConnected(info: ClientInfo, subject: string | null): void {
    const { clientId, username, remoteAddress, listener, protocolVersion } = info;
    this.#users.enter(username);
    const { audit } = this.#context;
    if (audit.tellsAll) {
      audit.success('connected', { clientId, username, remoteAddress, listener, protocolVersion, subject });
    }
    const { flappingConnects, flappingConnectsPerAddress } = this.#options;
    if (flappingConnects > 0) this.#countConnect('client', clientId, flappingConnects);
    if (flappingConnectsPerAddress > 0) {
      this.#countConnect('address', addressKey(remoteAddress), flappingConnectsPerAddress);
    }
  }

  onDisconnected({ clientId, username, remoteAddress, listener }: ClientInfo, reason: CloseReason): void {
    this.#users.leave(username);
    const { audit } = this.#context;
    if (audit.tellsAll) audit.success('disconnected', { clientId, username, remoteAddress, listener, reason });
  }

  #countConnect(kind: 'client' | 'address', value: string, allowed: number): void {
    const name = `${kind} ${value}`;
    if (this.#connects.count(name, this.#context.clock.now()) <= allowed) return;
    this.#connects.forget(name);
    const reason = 'connects and leaves again and again';
    this.bans.banForAWhile({ kind, value, reason }, this.#options.flappingBanMs);
  }

  #refusalOfTakeover(holder: ClientInfo, remoteAddress: string): Refusal | null {
    const { clock, notices, logger } = this.#context;
    const outcome = this.#takeovers.onTakeover(holder.clientId, clock.now());
    if (outcome === 'allowed') return null;
    const keptBack = outcome === 'fight' ? notices.offer('fight for a client id') : null;
    if (keptBack !== null) {
      const about = {
        clientId: loggable(holder.clientId),
        remoteAddress,
        otherAddress: holder.remoteAddress,
        keptBack,
      };
      logger.warn(about, 'two clients with one client id take it over from each other again and again');
    }
    const message = 'another client with this client id is connected, and was taken over too often';
    return { reasonCode: ReasonCode.QuotaExceeded, message };
  }

  /** Whoever is connected is so no longer. */
  #onBanned(ban: Ban): void {
    const { kind, value, origin, untilMs } = ban;
    const seconds = Number.isFinite(untilMs) ? Math.ceil((untilMs - ban.sinceMs) / 1000) : undefined;
    this.#context.audit.change('banned', { kind, value, origin, reason: ban.reason, seconds });
    for (const connection of [...this.#context.connections.values()]) {
      const info = connection.clientInfo;
      // DISCONNECT knows no code for a ban (section 3.14.2.1); CONNACK will.
      if (info !== null && this.#isAbout(ban, info)) connection.close('banned', ReasonCode.AdministrativeAction);
    }
  }

  #isAbout(ban: Ban, { clientId, username, remoteAddress }: ClientInfo): boolean {
    if (ban.kind === 'client') return clientId === ban.value;
    if (ban.kind === 'user') return username === ban.value;
    return this.bans.findAddress(remoteAddress) === ban;
  }
}

function refusalOfBan({ kind, value, reason }: Ban): Refusal {
  return { ...BANNED, detail: loggable(`banned ${kind} ${value}${reason === undefined ? '' : `: ${reason}`}`) };
}
