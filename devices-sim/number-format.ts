/** Numbers for people: 12,345 and 0.83 ms, whatever the machine's language. */

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export function formatLatency(latencyMs: number): string {
  if (latencyMs >= 10_000) return `${(latencyMs / 1000).toFixed(1)} s`;
  return `${latencyMs.toFixed(latencyMs < 10 ? 2 : 0)} ms`;
}
