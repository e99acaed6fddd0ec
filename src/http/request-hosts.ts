/**
 * Whether a request was meant for this broker. A page in a browser can have its own name resolve to 127.0.0.1 and then speaks to the
 * broker as if it were its own server (DNS rebinding): such a request names the page's host. Addresses and `localhost`
 * cannot be made to lead elsewhere, so they are always right.
 */
import { isIpAddress, isLoopbackHost } from '../transport/loopback.js';
import { Problem } from './problem.js';

/** `name`, `name:port`, `[address]`, `[address]:port` */
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:@/?#[\]]+))(?::\d{1,5})?$/;

export interface RequestedHost {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

export class RequestHosts {
  readonly #names: ReadonlySet<string>;
  readonly #takesAnyName: boolean;

  /**
   * @param listensOn the host of the listener
   * @param names by which it is called beside that; without any, a listener that others can reach takes every name
   */
  constructor(listensOn: string, names: readonly string[]) {
    this.#names = new Set([listensOn, ...names].map(canonical));
    this.#takesAnyName = names.length === 0 && !isLoopbackHost(listensOn);
  }

  /** @throws Problem 403 if the request was meant for somebody else, or a page of somebody else's sent it */
  check({ host, origin }: RequestedHost): void {
    // Browsers always name a host; only clients of HTTP/1.0 may leave it out, and those are no browsers.
    if (host !== undefined && !this.#isOurs(nameOf(host))) {
      throw new Problem(
        403,
        'host-not-allowed',
        `The Host ${JSON.stringify(host)} is none of this listener's: add it to http.allowedHosts if it should be`,
      );
    }
    if (origin === undefined || this.#isSameSite(origin, host)) return;
    throw new Problem(
      403,
      'origin-not-allowed',
      `Pages of ${JSON.stringify(origin)} may not use this listener: add its host to http.allowedHosts if they should`,
    );
  }

  #isOurs(name: string | undefined): boolean {
    if (name === undefined) return false;
    return this.#takesAnyName || this.#names.has(name) || name === 'localhost' || isIpAddress(name);
  }

  #isSameSite(origin: string, host: string | undefined): boolean {
    const authority = /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase();
    if (authority === undefined) return false;
    return authority === host?.toLowerCase() || this.#names.has(nameOf(authority) ?? '');
  }
}

function nameOf(authority: string): string | undefined {
  const [, address, name] = AUTHORITY.exec(authority) ?? [];
  const found = address ?? name;
  return found === undefined ? undefined : canonical(found);
}

/** Lower case, and without the dot that ends an absolute name. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
