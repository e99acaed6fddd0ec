/**
 * Whether the broker has become dearer: its processor time per message by that of a peer in the same run, compared with the ratios that
 * were recorded. A ratio is steadier than either of its parts: what slows the machine down slows both of them down.
 */
export interface CostRatio {
  /** Scenario and QoS. */
  readonly name: string;
  /** The peer's processor time per message divided by the broker's: the higher, the better. */
  readonly timesPeer: number;
}

export interface Comparison {
  readonly name: string;
  /** Undefined: not recorded yet. */
  readonly recorded: number | undefined;
  /** Undefined: nothing was measured. */
  readonly measured: number | undefined;
  /** Cost now by what it was: 1.1 is ten per cent dearer. */
  readonly costBefore: number | undefined;
  readonly verdict: 'ok' | 'dearer' | 'not recorded' | 'not measured';
}

/** @param tolerance how much dearer it may be: 0.25 is a quarter */
export function compareRatios(
  recorded: readonly CostRatio[],
  measured: readonly CostRatio[],
  tolerance: number,
): readonly Comparison[] {
  const names = [...new Set([...recorded, ...measured].map(({ name }) => name))];
  return names.map((name) => {
    const was = recorded.find((ratio) => ratio.name === name)?.timesPeer;
    const is = measured.find((ratio) => ratio.name === name)?.timesPeer;
    const costBefore = was === undefined || is === undefined ? undefined : was / is;
    return { name, recorded: was, measured: is, costBefore, verdict: verdictOf(was, is, tolerance) };
  });
}

/** What was recorded and could not be measured fails, too: a guard that looks away is none. */
export function hasRegressed(comparisons: readonly Comparison[]): boolean {
  return comparisons.some(({ verdict }) => verdict === 'dearer' || verdict === 'not measured');
}

function verdictOf(was: number | undefined, is: number | undefined, tolerance: number): Comparison['verdict'] {
  if (is === undefined) return 'not measured';
  if (was === undefined) return 'not recorded';
  return was / is > 1 + tolerance ? 'dearer' : 'ok';
}
