/**
 * Who uses a client identifier at the same time as somebody else: the broker must end all connections of it but the
 * last [MQTT-3.1.4-3], and which one comes last nobody knows.
 */

/** For so long the broker may still read what a client sent before it vanished. */
const ABRUPT_MS = 1_500;

export class ClientClaims {
  readonly #holders = new Map<string, Set<Claim>>();

  /** @param clientId empty or undefined for none */
  claim(clientId: string | undefined): Claim {
    if (clientId === undefined || clientId === '') return new Claim(undefined);
    const holders = this.#holders.get(clientId) ?? new Set();
    this.#holders.set(clientId, holders);
    const claim = new Claim((isAbrupt) => {
      if (isAbrupt) setTimeout(() => this.#release(clientId, claim), ABRUPT_MS).unref();
      else this.#release(clientId, claim);
    });
    holders.add(claim);
    if (holders.size > 1) for (const holder of holders) holder.isContested = true;
    return claim;
  }

  #release(clientId: string, claim: Claim): void {
    const holders = this.#holders.get(clientId);
    holders?.delete(claim);
    if (holders?.size === 0) this.#holders.delete(clientId);
  }
}

export class Claim {
  isContested = false;
  readonly #onEnd: ((isAbrupt: boolean) => void) | undefined;

  constructor(onEnd: ((isAbrupt: boolean) => void) | undefined) {
    this.#onEnd = onEnd;
  }

  /** @param isAbrupt the broker may not have seen all of it yet */
  end(isAbrupt: boolean): void {
    this.#onEnd?.(isAbrupt);
  }
}
