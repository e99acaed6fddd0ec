/**
 * Who is banned: by client id, user name, or address. What the configuration bans stays banned; what is set while the broker runs is
 * kept in the store, and may have an end; what the broker bans by itself is short, and forgotten with the process.
 */
import { addressKey } from '../../core/address-key.js';
import { AddressRange } from '../../core/address-range.js';
import type { Clock } from '../../core/clock.js';
import { InvalidArgument } from '../../core/errors.js';
import { ipAddressText, parseIpAddress } from '../../core/ip-address.js';
import type { Journal } from '../../store/journal.js';
import { NO_TICKET, type Ticket } from '../../store/ticket.js';
import type { Ban } from './ban.js';
import { decodeBan, encodeBan } from './ban-record.js';
import type { BanEntry, BanKind } from './defence-options.js';

/** Each is looked at for every connection. */
const MAXIMUM_RANGES = 1000;
/** A ban of one name or address costs nothing while nobody asks for it; the bound is for memory. */
const MAXIMUM_NAMES = 100_000;
/** Of a string in MQTT. */
const LONGEST_VALUE = 65_535;
const LONGEST_REASON = 1000;

export interface BanRequest extends BanEntry {
  /** How long, ms; without it, until it is lifted. */
  readonly forMs?: number | undefined;
}

type RangedBan = readonly [range: AddressRange, ban: Ban];

export class BanList {
  readonly #clock: Clock;
  readonly #journal: Pick<Journal, 'noteSaved' | 'noteRemoved'>;
  readonly #onBanned: (ban: Ban) => void;
  /** By kind and value, ranges of addresses among them. */
  readonly #bans = new Map<string, Ban>();
  #ranges: RangedBan[] = [];

  /** @param onBanned is told of each ban that is set while the broker runs */
  constructor(
    configured: readonly BanEntry[],
    clock: Clock,
    journal: Pick<Journal, 'noteSaved' | 'noteRemoved'>,
    onBanned: (ban: Ban) => void,
  ) {
    this.#clock = clock;
    this.#journal = journal;
    this.#onBanned = onBanned;
    for (const entry of configured) {
      this.#add({ ...sound(entry), origin: 'configuration', sinceMs: 0, untilMs: Number.POSITIVE_INFINITY });
    }
  }

  /**
   * Bans, or changes the end and the reason of a ban. Connections that it is about are ended.
   * @returns when it is on disk
   * @throws InvalidArgument for an address that is none, or if there are too many
   */
  ban({ forMs, ...request }: BanRequest): Ticket {
    const entry = sound(request);
    const sinceMs = this.#clock.now();
    const ban: Ban = { ...entry, origin: 'administration', sinceMs, untilMs: endOf(sinceMs, forMs) };
    // What the configuration says stands, however long this one would last.
    if (this.#bans.get(keyOf(entry))?.origin === 'configuration') return NO_TICKET;
    this.#makeRoom(entry);
    this.#add(ban);
    this.#onBanned(ban);
    return this.#journal.noteSaved(noteOf(entry), encodeBan(ban));
  }

  /** For what the broker finds by itself; does nothing if there is no room, or a ban already. */
  banForAWhile(entry: BanEntry, forMs: number): void {
    const isKnown = this.#current(keyOf(entry)) !== undefined;
    if (isKnown || this.#bans.size >= MAXIMUM_NAMES || !isSound(entry)) return;
    const sinceMs = this.#clock.now();
    const ban: Ban = { ...entry, origin: 'flapping', sinceMs, untilMs: sinceMs + forMs };
    this.#add(ban);
    this.#onBanned(ban);
  }

  /** Lifts a ban. @returns when that is on disk; null if there is none, or the configuration's */
  unban(kind: BanKind, value: string): Ticket | null {
    const key = keyOf({ kind, value: normal(kind, value) });
    const ban = this.#bans.get(key);
    if (ban === undefined || ban.origin === 'configuration') return null;
    this.#remove(key);
    return ban.origin === 'administration' ? this.#journal.noteRemoved(noteOf(ban)) : NO_TICKET;
  }

  /** Those that are in force, in the order in which they began. */
  list(): Ban[] {
    this.#dropExpired();
    return [...this.#bans.values()];
  }

  /** One that is in force, whichever form the address has. */
  find(kind: BanKind, value: string): Ban | undefined {
    return this.#current(keyOf({ kind, value: normal(kind, value) }));
  }

  get size(): number {
    return this.#bans.size;
  }

  findClient(clientId: string): Ban | undefined {
    return this.#bans.size === 0 ? undefined : this.#current(`client ${clientId}`);
  }

  findUser(username: string): Ban | undefined {
    return this.#bans.size === 0 ? undefined : this.#current(`user ${username}`);
  }

  findAddress(text: string): Ban | undefined {
    if (this.#bans.size === 0) return undefined;
    const address = parseIpAddress(text.split('%', 1)[0] ?? '');
    if (address === null) return undefined;
    const exact = this.#current(`address ${ipAddressText(address)}`) ?? this.#current(`address ${addressKey(text)}`);
    if (exact !== undefined) return exact;
    const [, ranged] = this.#ranges.find(([range]) => range.contains(address)) ?? [];
    return ranged === undefined ? undefined : this.#current(keyOf(ranged));
  }

  /** A ban that the store holds. @returns false if it cannot be read */
  restore(name: string, bytes: Buffer): boolean {
    const read = decodeBan(bytes);
    if (read === null || !isSound(read) || noteOf(read) !== name) return false;
    if (read.untilMs <= this.#clock.now()) this.#journal.noteRemoved(name);
    else this.#restore(name, { ...read, value: normal(read.kind, read.value) });
    return true;
  }

  #restore(name: string, ban: Ban): void {
    const known = this.#bans.get(keyOf(ban));
    // Each form of an address had a ban of its own once: of several, the one that lasts longest stays.
    const double = known?.origin === 'administration' ? known : null;
    const isLonger = double !== null && double.untilMs < ban.untilMs;
    if (known === undefined || isLonger) this.#add(ban);
    const note = noteOf(ban);
    if (note !== name) this.#journal.noteRemoved(name);
    if (note === name && double === null) return;
    this.#journal.noteSaved(note, encodeBan(double === null || isLonger ? ban : double));
  }

  #current(key: string): Ban | undefined {
    const ban = this.#bans.get(key);
    if (ban === undefined || ban.untilMs > this.#clock.now()) return ban;
    this.#expire(key, ban);
    return undefined;
  }

  #dropExpired(): void {
    const nowMs = this.#clock.now();
    for (const [key, ban] of this.#bans) if (ban.untilMs <= nowMs) this.#expire(key, ban);
  }

  #expire(key: string, ban: Ban): void {
    this.#remove(key);
    if (ban.origin === 'administration') this.#journal.noteRemoved(noteOf(ban));
  }

  #add(ban: Ban): void {
    const key = keyOf(ban);
    this.#remove(key);
    this.#bans.set(key, ban);
    const range = ban.kind === 'address' && isRange(ban.value) ? AddressRange.parse(ban.value) : null;
    if (range !== null) this.#ranges.push([range, ban]);
  }

  #remove(key: string): void {
    const ban = this.#bans.get(key);
    if (ban === undefined) return;
    this.#bans.delete(key);
    this.#ranges = this.#ranges.filter(([, ranged]) => ranged !== ban);
  }

  #makeRoom(entry: BanEntry): void {
    if (this.#bans.has(keyOf(entry))) return;
    if (this.#bans.size >= MAXIMUM_NAMES || this.#ranges.length >= MAXIMUM_RANGES) this.#dropExpired();
    if (this.#bans.size >= MAXIMUM_NAMES) throw new InvalidArgument(`there are ${MAXIMUM_NAMES} bans already`);
    if (entry.kind === 'address' && isRange(entry.value) && this.#ranges.length >= MAXIMUM_RANGES) {
      throw new InvalidArgument(`there are ${MAXIMUM_RANGES} banned ranges of addresses already`);
    }
  }
}

function endOf(sinceMs: number, forMs: number | undefined): number {
  if (forMs === undefined) return Number.POSITIVE_INFINITY;
  if (!(forMs > 0)) throw new InvalidArgument('a ban must last longer than nothing');
  return sinceMs + forMs;
}

/** @throws InvalidArgument */
function sound(entry: BanEntry): BanEntry {
  if (!isSound(entry)) throw new InvalidArgument(`this ${entry.kind} cannot be banned: it is none, or too long`);
  return { ...entry, value: normal(entry.kind, entry.value), reason: entry.reason?.slice(0, LONGEST_REASON) };
}

function isSound({ kind, value }: BanEntry): boolean {
  if (value === '' || Buffer.byteLength(value) > LONGEST_VALUE) return false;
  return kind !== 'address' || AddressRange.parse(value) !== null;
}

/** One address has many forms, and one network as many as it has addresses. */
function normal(kind: BanKind, value: string): string {
  const range = kind === 'address' ? AddressRange.parse(value) : null;
  if (range === null) return value;
  const [address = '', bits] = range.text.split('/');
  return bits === '64' ? addressKey(address) : range.text;
}

/** A /64 of IPv6 as addresses are counted is found without being looked for. */
function isRange(value: string): boolean {
  return value.includes('/') && addressKey(value.slice(0, value.indexOf('/'))) !== value;
}

function keyOf({ kind, value }: BanEntry): string {
  return `${kind} ${value}`;
}

function noteOf({ kind, value }: BanEntry): string {
  return `${BAN_NOTES}${kind}/${encodeURIComponent(value)}`;
}

/** How the names of bans in the store begin. */
export const BAN_NOTES = 'ban/';
