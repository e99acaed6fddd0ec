/** How the probe gets into a broker, and how it is told where to write. */
export const PROBE_FILE = 'BENCH_PROBE_FILE';

const PROBE = new URL('./garbage-probe.js', import.meta.url).href;

export function probeEnvironment(file: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${PROBE}`, [PROBE_FILE]: file };
}
