/** @param sorted ascending; NaN when there is nothing in it */
export function percentileOf(sorted: Float64Array, percent: number): number {
  const at = Math.ceil((percent / 100) * sorted.length) - 1;
  return sorted[Math.max(at, 0)] ?? Number.NaN;
}
