/** Inputs that were interesting once: `test/robustness/corpus/*.hex`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzCase } from './fuzz-input.js';
import { readHexFile } from './hex-file.js';
import type { Seed, SeedSource } from './seed-source.js';

export class CorpusSeeds implements SeedSource {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The whole cases, to be played as they are. */
  cases(): { readonly name: string; readonly fuzzCase: FuzzCase }[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith('.hex'))
      .sort()
      .map((name) => ({ name, fuzzCase: readHexFile(readFileSync(join(this.#directory, name), 'utf8')) }));
  }

  seeds(): readonly Seed[] {
    return this.cases().flatMap(({ name, fuzzCase }) =>
      fuzzCase.flatMap(({ scripts }) => scripts.map(({ packets }) => ({ name, packets, isValid: false }))),
    );
  }
}
