/** Reads the fields of a decoded record, whose content nothing vouches for. */
import { DamagedRecord } from '../core/errors.js';

export class RecordFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws DamagedRecord if `record` is no object */
  constructor(record: unknown) {
    if (typeof record !== 'object' || record === null) throw new DamagedRecord('A record is no object');
    this.#fields = record as Record<string, unknown>;
  }

  string(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string') throw new DamagedRecord(`${name} is no text`);
    return value;
  }

  /** A whole number from `least` on. @param absent what stands for a missing field, if it may be missing */
  integer(name: string, least: number, absent?: number): number {
    const value = this.#fields[name] ?? absent;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw new DamagedRecord(`${name} is no whole number from ${least} on`);
    }
    return value;
  }

  /** 0, 1 or 2: a QoS, or a Retain Handling. */
  upToTwo(name: string): 0 | 1 | 2 {
    const value = this.#fields[name] ?? 0;
    if (value !== 0 && value !== 1 && value !== 2) throw new DamagedRecord(`${name} is not 0, 1 or 2`);
    return value;
  }

  boolean(name: string): boolean {
    return this.#fields[name] === true;
  }

  /** Whatever it is; undefined if it is not there. */
  any(name: string): unknown {
    return this.#fields[name];
  }

  bytes(name: string): Buffer {
    const value = this.#fields[name];
    if (!Buffer.isBuffer(value)) throw new DamagedRecord(`${name} is no bytes`);
    return value;
  }
}
