/**
 * Loaded into a broker that runs on Node before its own code (`--import`), without that it knows: the first SIGUSR2 begins a profile of its
 * garbage collections, the second ends it and writes what it says to the file that an environment variable names.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { garbageOf } from './garbage.js';
import { PROBE_FILE } from './probe-environment.js';

const file = process.env[PROBE_FILE];
let profiler: GCProfiler | undefined;
let usedAtBegin = 0;

function usedBytes(): number {
  return getHeapStatistics().used_heap_size;
}

process.on('SIGUSR2', () => {
  if (profiler === undefined) {
    profiler = new GCProfiler();
    usedAtBegin = usedBytes();
    profiler.start();
    return;
  }
  const usedAtEnd = usedBytes();
  const { statistics } = profiler.stop();
  profiler = undefined;
  if (file === undefined) return;
  // Whoever waits for the file finds all of it.
  writeFileSync(`${file}.new`, JSON.stringify(garbageOf(statistics, usedAtBegin, usedAtEnd)));
  renameSync(`${file}.new`, file);
});
