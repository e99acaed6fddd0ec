/**
 * What a listener knows of the addresses that its connections come from: how many each has, and how fast they come. An address
 * without connections is forgotten when it counts for nothing any more, or when too many others have come since.
 */
import { addressKey } from '../core/address-key.js';
import { AgeingMap } from '../core/ageing-map.js';
import { TokenBucket } from '../core/token-bucket.js';

/** Some 10 MiB. Whoever has more addresses than that is not stopped by limits for each. */
const KEPT_IDLE = 32_768;

export interface AddressLimits {
  /** Connections at a time; Infinity for no limit. */
  readonly maximum: number;
  /** Connections a second, and how many at once; a rate of 0 for no limit. */
  readonly rate: number;
  readonly burst: number;
}

export interface CountedAddress {
  readonly key: string;
  open: number;
  readonly bucket: TokenBucket | null;
}

export class AddressTable {
  readonly #limits: AddressLimits;
  /** By key: those that have connections. */
  readonly #active = new Map<string, CountedAddress>();
  /** Those that have none. */
  readonly #idle = new AgeingMap<CountedAddress>(KEPT_IDLE);

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** Addresses that are known. */
  get size(): number {
    return this.#active.size + this.#idle.size;
  }

  /** @returns the address, with one connection more; or what keeps it from having one */
  enter(address: string, nowMs: number): CountedAddress | 'address-full' | 'address-rate' {
    const key = addressKey(address);
    const known = this.#active.get(key) ?? this.#idle.get(key) ?? this.#make(key, nowMs);
    if (known.open >= this.#limits.maximum) return 'address-full';
    if (known.bucket?.take(nowMs) === false) {
      if (known.open === 0) this.#idle.set(key, known);
      return 'address-rate';
    }
    known.open++;
    this.#idle.delete(key);
    this.#active.set(key, known);
    return known;
  }

  /** One of its connections is gone. */
  leave(known: CountedAddress, nowMs: number): void {
    known.open--;
    if (known.open > 0) return;
    this.#active.delete(known.key);
    if (known.bucket?.isFull(nowMs) === false) this.#idle.set(known.key, known);
  }

  #make(key: string, nowMs: number): CountedAddress {
    const { rate, burst } = this.#limits;
    return { key, open: 0, bucket: rate === 0 ? null : new TokenBucket(rate, burst, nowMs) };
  }
}
