/**
 * Resolves the names of targets, for connections alone: what it returns is what is connected to, so that a name which is looked up once
 * more, and leads elsewhere by then, gets nobody past the check.
 *
 * The system's resolver takes one of libuv's four threads for as long as a name server lets it wait, and those threads are the disk's, too. So
 * all who want the same name share one call, and there are few calls at a time.
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns';
import type { AgentOptions } from 'node:http';
import { type AllowedTargets, addressOfHost } from './allowed-targets.js';
import { ForbiddenAddress } from './push-errors.js';

/** As agents of `node:http` want it. */
export type LookupFunction = NonNullable<AgentOptions['lookup']>;

/** Finds all addresses of a name. */
export type Resolver = (
  name: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

type ResolverCallback = Parameters<Resolver>[1];

/** Half of the threads. */
const CALLS_AT_A_TIME = 2;

export const systemResolver: Resolver = (name, callback) => lookup(name, { all: true }, callback);

export class HostLookup {
  readonly #allowed: AllowedTargets;
  readonly #resolve: Resolver;
  /** Who waits for the answer to a name that has been asked for, and for one that will be. */
  readonly #asked = new Map<string, ResolverCallback[]>();
  readonly #unasked = new Map<string, ResolverCallback[]>();

  constructor(allowed: AllowedTargets, resolve: Resolver) {
    this.#allowed = allowed;
    this.#resolve = resolve;
  }

  /** For addresses that stand in URLs: Node looks none of them up. @returns null for a name, and an address that requests may go to */
  refusalOf(host: string): ForbiddenAddress | null {
    const address = addressOfHost(host);
    return address === null || this.#allowed.allows(host, address) ? null : forbidden(host);
  }

  readonly lookup: LookupFunction = (name, options, callback) => {
    this.#find(name, (error, found) => {
      const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
      const fitting = found.filter((one) => family === 0 || one.family === family);
      const addresses = fitting.filter(({ address }) => this.#allowed.allows(name, address));
      const [first] = addresses;
      if (error !== null) callback(error, '', 0);
      else if (first === undefined) callback(forbidden(name), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  #find(name: string, callback: ResolverCallback): void {
    const others = this.#asked.get(name) ?? this.#unasked.get(name);
    if (others !== undefined) others.push(callback);
    else if (this.#asked.size >= CALLS_AT_A_TIME) this.#unasked.set(name, [callback]);
    else this.#ask(name, [callback]);
  }

  #ask(name: string, callbacks: ResolverCallback[]): void {
    this.#asked.set(name, callbacks);
    this.#resolve(name, (error, addresses) => {
      this.#asked.delete(name);
      for (const [next, waiting] of this.#unasked) {
        this.#unasked.delete(next);
        this.#ask(next, waiting);
        break;
      }
      for (const callback of callbacks) callback(error, addresses);
    });
  }
}

function forbidden(host: string): ForbiddenAddress {
  return new ForbiddenAddress(`${host} leads to no address that push.allow allows`);
}
