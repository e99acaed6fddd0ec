/** Makes inputs from seeds: the n-th input of a seed number is always the same, as long as the pool is. */
import { Random } from '../support/random-source.js';
import { withoutOrphan } from './findable-session.js';
import type { FuzzInput, Script } from './fuzz-input.js';
import { anyDelivery, mutateSequence, renameClient } from './mutate-sequence.js';
import { anySequence } from './random-sequence.js';
import type { Seed } from './seed-source.js';

/** Sessions that outlive their connections are those of these clients: what is kept has a bound. */
const KEPT_CLIENTS = 512;
const MUTATION_COUNTS = [0, 1, 1, 1, 2, 2, 3, 5, 8];

export class InputMaker {
  readonly #seed: number;
  readonly #pool: (readonly Buffer[])[];

  constructor(seeds: readonly Seed[], seed: number) {
    this.#seed = seed;
    this.#pool = seeds.map(({ packets }) => packets);
  }

  get poolSize(): number {
    return this.#pool.length;
  }

  /** Takes in a sequence that has turned out to be interesting. */
  learn(packets: readonly Buffer[]): void {
    this.#pool.push(packets);
  }

  make(index: number): FuzzInput {
    const random = new Random(Math.imul(this.#seed, 0x9e3779b1) + index);
    const packets = this.#mutated(random);
    if (random.chance(0.02)) return this.#takeOverStorm(random, packets, index);
    const clientId = `fuzz-${index % KEPT_CLIENTS}`;
    const named = random.chance(0.85) ? renameClient(packets, clientId) : packets;
    return { scripts: [{ delivery: anyDelivery(random), packets: withoutOrphan(named, clientId) }] };
  }

  #mutated(random: Random): readonly Buffer[] {
    let packets = random.chance(0.25) ? anySequence(random) : random.pick(this.#pool);
    for (let times = random.pick(MUTATION_COUNTS); times > 0; times--) {
      packets = mutateSequence(random, packets, random.pick(this.#pool));
    }
    return packets;
  }

  /** Many connections of one client, all of which want its session. */
  #takeOverStorm(random: Random, packets: readonly Buffer[], index: number): FuzzInput {
    const named = renameClient(packets, `storm-${index % 8}`);
    const scripts: Script[] = Array.from({ length: 3 + random.below(20) }, () => ({
      delivery: { ...anyDelivery(random), reading: 'always' },
      packets: withoutOrphan(
        random.chance(0.7) ? named : mutateSequence(random, named, random.pick(this.#pool)),
        `storm-${index % 8}`,
      ),
    }));
    return { scripts };
  }
}
