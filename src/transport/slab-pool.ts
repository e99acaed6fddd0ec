/** Buffers of one size for outbound data, used again and again while they are hot; a bounded number is kept. */

export const SLAB_BYTES = 16 * 1024;

/** 4 MiB: more connections than that rarely have something to send in one turn that is not a shared run. */
const MAXIMUM_KEPT = 256;

export class SlabPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  /** Gives a slab back that nobody reads any more. Buffers of another size are left to the garbage collector. */
  give(slab: Buffer): void {
    if (slab.length === SLAB_BYTES && this.#free.length < MAXIMUM_KEPT) this.#free.push(slab);
  }
}
