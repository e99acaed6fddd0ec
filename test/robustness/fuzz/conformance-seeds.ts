/** The packets that the byte cases of `test/conformance/cases` send, one sequence for each client of each case. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Seed, SeedSource } from './seed-source.js';

/** A parsed case, as far as its packets go. */
export interface SendingCase {
  readonly version: number;
  readonly title: string;
  readonly steps: readonly { readonly kind: string; readonly client?: string; readonly bytes?: Buffer }[];
}

interface CaseParser {
  parseCases(file: string, text: string, inherited?: unknown): { cases: readonly SendingCase[]; macros: unknown };
}

const MACROS = 'shared.macros';

export class ConformanceSeeds implements SeedSource {
  readonly #cases: readonly SendingCase[];

  constructor(cases: readonly SendingCase[]) {
    this.#cases = cases;
  }

  /** @param directory `test/conformance`; where there are no cases, there are no seeds */
  static async load(directory: string): Promise<ConformanceSeeds> {
    const parserFile = join(directory, 'corpus/case-parser.ts');
    const folder = join(directory, 'cases');
    if (!existsSync(parserFile) || !existsSync(folder)) return new ConformanceSeeds([]);
    const { parseCases } = (await import(pathToFileURL(parserFile).href)) as CaseParser;
    const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');
    const { macros } = parseCases(MACROS, existsSync(join(folder, MACROS)) ? textOf(MACROS) : '');
    const names = readdirSync(folder).filter((name) => name.endsWith('.cases'));
    return new ConformanceSeeds(names.sort().flatMap((name) => parseCases(name, textOf(name), macros).cases));
  }

  seeds(): readonly Seed[] {
    return this.#cases.flatMap(({ version, title, steps }) => {
      const byClient = new Map<string, Buffer[]>();
      for (const { kind, client = '', bytes } of steps) {
        if (kind !== 'send' || bytes === undefined) continue;
        const packets = byClient.get(client) ?? [];
        packets.push(bytes);
        byClient.set(client, packets);
      }
      return [...byClient.values()].map((packets) => ({ name: `${version} ${title}`, packets, isValid: false }));
    });
  }
}
