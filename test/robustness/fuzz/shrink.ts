/**
 * Makes a failing case as short as it can be made within its time: leaves out inputs, then connections, then packets, then
 * bytes, and keeps what still fails in the same way.
 */
import { type FuzzCase, type FuzzInput, PLAIN, type Script } from './fuzz-input.js';

export interface ShrinkOptions {
  /** Whether a case fails in the way that is looked for. */
  readonly fails: (fuzzCase: FuzzCase) => Promise<boolean>;
  readonly isTimeOver: () => boolean;
}

export async function shrink(fuzzCase: FuzzCase, options: ShrinkOptions): Promise<FuzzCase> {
  let best = await withoutParts(fuzzCase, options, (inputs) => inputs);
  for (const index of indexesOf(best)) {
    const tryInput = (input: FuzzInput): FuzzCase => best.with(index, input);
    const scripts = await withoutParts((best[index] as FuzzInput).scripts, options, (rest) =>
      tryInput({ scripts: rest }),
    );
    best = tryInput({ scripts });
    for (const at of indexesOf(scripts)) {
      const tryScript = (script: Script): FuzzCase => tryInput({ scripts: scriptsOf(best, index).with(at, script) });
      best = tryScript(await shrinkScript(scriptsOf(best, index)[at] as Script, options, tryScript));
    }
  }
  return best;
}

async function shrinkScript(
  script: Script,
  options: ShrinkOptions,
  toCase: (script: Script) => FuzzCase,
): Promise<Script> {
  let best = script;
  const packets = await withoutParts(best.packets, options, (rest) => toCase({ ...best, packets: rest }));
  best = { ...best, packets };
  for (const index of indexesOf(best.packets)) {
    const bytes = await withoutParts([...(best.packets[index] as Buffer)], options, (rest) =>
      toCase({ ...best, packets: best.packets.with(index, Buffer.from(rest)) }),
    );
    best = { ...best, packets: best.packets.with(index, Buffer.from(bytes)) };
  }
  const plain = { ...best, delivery: PLAIN };
  return !options.isTimeOver() && (await options.fails(toCase(plain))) ? plain : best;
}

/** Leaves out halves, quarters, … down to single parts, as long as the case still fails. */
async function withoutParts<T>(
  parts: readonly T[],
  { fails, isTimeOver }: ShrinkOptions,
  toCase: (parts: readonly T[]) => FuzzCase,
): Promise<readonly T[]> {
  let best = parts;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < best.length && best.length > 0; ) {
      if (isTimeOver()) return best;
      const rest = best.toSpliced(start, size);
      if (await fails(toCase(rest))) best = rest;
      else start += size;
    }
  }
  return best;
}

function indexesOf(values: readonly unknown[]): number[] {
  return [...values.keys()];
}

function scriptsOf(fuzzCase: FuzzCase, index: number): readonly Script[] {
  return (fuzzCase[index] as FuzzInput).scripts;
}
