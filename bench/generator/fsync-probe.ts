/**
 * What one fsync costs on the disk of a directory: a small append and an fdatasync, over and over. It is the unit in
 * which acknowledgement latency is expressed, because no durable acknowledgement can be faster than one of these.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { percentileOf } from './percentiles.js';

const ROUNDS = 300;
const APPENDED_BYTES = 200;

/** @returns the median in milliseconds */
export function fsyncMs(directory: string): number {
  const own = mkdtempSync(join(directory, 'fsync-'));
  const file = openSync(join(own, 'probe'), 'a');
  const bytes = Buffer.alloc(APPENDED_BYTES, 'f');
  const durations = new Float64Array(ROUNDS);
  for (let round = 0; round < ROUNDS; round++) {
    const beganMs = performance.now();
    writeSync(file, bytes);
    fdatasyncSync(file);
    durations[round] = performance.now() - beganMs;
  }
  closeSync(file);
  rmSync(own, { recursive: true });
  return percentileOf(durations.sort(), 50);
}
