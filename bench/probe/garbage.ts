/** What the collections of V8 say about what was allocated between two moments, and how long they held everything up. */
import type { GCProfilerResult } from 'node:v8';

export interface Garbage {
  /** On the heap of JavaScript; what lies outside of it (contents of buffers) is not in it. */
  readonly allocatedBytes: number;
  readonly collections: number;
  readonly longestPauseMs: number;
  readonly pausesMs: number;
}

/** The profiler's unit is a microsecond. */
const COSTS_IN_A_MS = 1000;

/**
 * @param usedAtBegin bytes of the heap in use when the profile began
 * @param usedAtEnd the same when it ended
 * @returns everything that was allocated: what is in use before each collection, beyond what the one before has left
 */
export function garbageOf(statistics: GCProfilerResult['statistics'], usedAtBegin: number, usedAtEnd: number): Garbage {
  let allocatedBytes = 0;
  let longest = 0;
  let pauses = 0;
  let left = usedAtBegin;
  for (const { beforeGC, afterGC, cost } of statistics) {
    allocatedBytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - left);
    left = afterGC.heapStatistics.usedHeapSize;
    longest = Math.max(longest, cost);
    pauses += cost;
  }
  return {
    allocatedBytes: allocatedBytes + Math.max(0, usedAtEnd - left),
    collections: statistics.length,
    longestPauseMs: longest / COSTS_IN_A_MS,
    pausesMs: pauses / COSTS_IN_A_MS,
  };
}
