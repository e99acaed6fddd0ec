/** What can be done to bans from outside, without a word of HTTP. What changes something resolves when the change is on the disk. */
import type { Ban } from '../broker/defence/ban.js';
import type { BanList, BanRequest } from '../broker/defence/ban-list.js';
import { byCodeUnits } from '../core/by-code-units.js';
import { InvalidArgument } from '../core/errors.js';
import type { Ticket } from '../store/ticket.js';
import type { BanAnswer, BanKindAnswer, BanListAnswer } from './ban-answers.js';
import { momentOf, occurredAt } from './moment.js';
import { Problem } from './problem.js';

export class BanAdministration {
  readonly #bans: Pick<BanList, 'ban' | 'unban' | 'list' | 'find'>;
  readonly #whenStored: (ticket: Ticket) => Promise<void>;

  /** @param whenStored resolves when what the ticket stands for is on the disk */
  constructor(bans: Pick<BanList, 'ban' | 'unban' | 'list' | 'find'>, whenStored: (ticket: Ticket) => Promise<void>) {
    this.#bans = bans;
    this.#whenStored = whenStored;
  }

  /** A page of the bans in force, in order of kind and value, from the first after `cursor` on. */
  list(limit: number, cursor: string): BanListAnswer {
    const keyed = this.#bans.list().map((ban) => [keyOf(ban), ban] as const);
    const rest = keyed.filter(([key]) => key > cursor).sort(([one], [other]) => byCodeUnits(one, other));
    const page = rest.slice(0, limit);
    return {
      bans: page.map(([, ban]) => answerOf(ban)),
      cursor: rest.length > page.length ? (page.at(-1)?.[0] ?? null) : null,
    };
  }

  /** Bans, or changes the end and the reason of a ban; connections that it is about are ended. */
  async put(request: BanRequest): Promise<{ readonly ban: BanAnswer; readonly isNew: boolean }> {
    const known = this.#bans.find(request.kind, request.value);
    if (known?.origin === 'configuration') throw configured(known);
    const ticket = this.#ban(request);
    const ban = this.#bans.find(request.kind, request.value);
    await this.#whenStored(ticket);
    if (ban === undefined) throw new Problem(422, 'invalid-ban', 'The ban was over as soon as it was set');
    return { ban: answerOf(ban), isNew: known === undefined };
  }

  /** Lifts a ban. */
  async delete(kind: BanKindAnswer, value: string): Promise<BanAnswer> {
    const known = this.#bans.find(kind, value);
    if (known === undefined)
      throw new Problem(404, 'ban-not-found', `The ${kind} ${JSON.stringify(value)} is not banned`);
    const ticket = this.#bans.unban(kind, value);
    if (ticket === null) throw configured(known);
    await this.#whenStored(ticket);
    return answerOf(known);
  }

  #ban(request: BanRequest): Ticket {
    try {
      return this.#bans.ban(request);
    } catch (error) {
      if (!(error instanceof InvalidArgument)) throw error;
      throw new Problem(422, 'invalid-ban', error.message);
    }
  }
}

function keyOf({ kind, value }: Ban): string {
  return `${kind} ${value}`;
}

function answerOf({ kind, value, origin, reason, sinceMs, untilMs }: Ban): BanAnswer {
  const until = Number.isFinite(untilMs) ? momentOf(untilMs) : null;
  return { kind, value, origin, reason: reason ?? null, since: occurredAt(sinceMs), until };
}

function configured({ kind, value }: Ban): Problem {
  const detail = `The ${kind} ${JSON.stringify(value)} is banned by the configuration (defence.banned), which alone can change that`;
  return new Problem(409, 'ban-configured', detail);
}
