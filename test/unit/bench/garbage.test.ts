import { GCProfiler, type GCProfilerResult, getHeapStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { garbageOf } from '../../../bench/probe/garbage.js';

function collection(before: number, after: number, cost: number): GCProfilerResult['statistics'][number] {
  const statistics = {
    beforeGC: { heapStatistics: { usedHeapSize: before } },
    afterGC: { heapStatistics: { usedHeapSize: after } },
  };
  return { gcType: 'Scavenge', cost, ...statistics } as unknown as GCProfilerResult['statistics'][number];
}

describe('what collections say about garbage', () => {
  it('is what came between them, and before the first and after the last', () => {
    const statistics = [collection(150, 110, 2000), collection(210, 100, 500), collection(100, 90, 100)];
    expect(garbageOf(statistics, 100, 95)).toEqual({
      allocatedBytes: 50 + 100 + 0 + 5,
      collections: 3,
      longestPauseMs: 2,
      pausesMs: 2.6,
    });
  });

  it('is what was allocated, when there was no collection', () => {
    expect(garbageOf([], 100, 130)).toMatchObject({ allocatedBytes: 30, collections: 0, longestPauseMs: 0 });
  });

  it('finds what a loop has allocated, in the units of V8', () => {
    const profiler = new GCProfiler();
    const before = getHeapStatistics().used_heap_size;
    const beganMs = performance.now();
    profiler.start();
    let kept: number[] = [];
    for (let round = 0; round < 20_000; round++) kept = new Array(1000).fill(round + 0.5);
    const { allocatedBytes, collections, longestPauseMs, pausesMs } = garbageOf(
      profiler.stop().statistics,
      before,
      getHeapStatistics().used_heap_size,
    );
    const tookMs = performance.now() - beganMs;
    expect(kept).toHaveLength(1000);
    expect(allocatedBytes).toBeGreaterThan(100_000_000);
    expect(collections).toBeGreaterThan(0);
    expect(longestPauseMs).toBeGreaterThan(0);
    expect(longestPauseMs).toBeLessThanOrEqual(pausesMs);
    expect(pausesMs).toBeLessThan(tookMs);
  });
});
