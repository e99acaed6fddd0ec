import { beforeEach, expect, it } from 'vitest';
import { DeduplicationWindow } from '../../../src/queues/deduplication-window.js';

const chunks = new Map<number, Buffer>();
let window: DeduplicationWindow;
let changed: Set<number>;

beforeEach(() => {
  chunks.clear();
  changed = new Set();
  window = newWindow();
});

function newWindow(maxBytes = 2 ** 30): DeduplicationWindow {
  return new DeduplicationWindow(
    () => 8000,
    () => maxBytes,
    {
      onChunkChanged: (chunk) => {
        changed.add(chunk);
        return 1;
      },
      onChunksRemoved: (below) => {
        for (const chunk of chunks.keys()) if (chunk < below) chunks.delete(chunk);
      },
    },
  );
}

function commit(): void {
  for (const chunk of changed) chunks.set(chunk, window.encode(chunk) as Buffer);
  changed = new Set();
}

it('knows an id for as long as the window, to the millisecond', () => {
  window.add('a', 'id-a', 1000);
  expect(window.find('a', 8999)?.messageId).toBe('id-a');
  expect(window.find('a', 9000)).toBeUndefined();
  expect(window.find('b', 1000)).toBeUndefined();
});

it('knows after a restart what it knew', () => {
  for (let number = 0; number < 500; number++) {
    window.add(`${number}`, `id-${number}`, 1000 + number);
    if (number % 7 === 0) commit();
  }
  commit();
  expect(Math.max(...[...chunks.values()].map((bytes) => bytes.length))).toBeLessThan(4096);
  const again = newWindow();
  for (const [chunk, bytes] of chunks) again.restore(chunk, bytes);
  expect(again.size).toBe(500);
  expect(again.find('499', 2000)?.messageId).toBe('id-499');
  again.add('new', 'id-new', 2000);
  expect([...changed]).toEqual([chunks.size]);
});

it('keeps neither ids nor chunks much longer than the window', () => {
  for (let atMs = 0; atMs < 100_000; atMs += 10) {
    window.add(`${atMs}`, 'id', atMs);
    commit();
  }
  expect(window.size).toBeLessThanOrEqual(800 + 128);
  expect(chunks.size).toBeLessThanOrEqual(10);
  expect(window.find('99990', 99_999)?.messageId).toBe('id');
});

it('does not forget a newer message with an id when the older one goes', () => {
  window.add('a', 'old', 0);
  window.add('a', 'new', 8000);
  window.add('b', 'other', 8500);
  expect(window.find('a', 9000)?.messageId).toBe('new');
});

it('has room within its bytes only, and again when the first ids have outlived the window', () => {
  const full = newWindow(100_000);
  let added = 0;
  for (; full.hasRoom(added); added++) full.add(`id-${added}`, 'message', added);
  expect(added).toBeGreaterThan(300);
  expect(added).toBeLessThan(1000);
  expect(full.bytes).toBeGreaterThanOrEqual(100_000);
  // The first chunk of 128 goes with its youngest id.
  expect(full.hasRoom(8126)).toBe(false);
  expect(full.find('id-127', 8126)?.messageId).toBe('message');
  expect(full.hasRoom(8127)).toBe(true);
  expect(full.size).toBe(added - 128);
  full.clear();
  expect(full.bytes).toBe(0);
});

it('counts after a restart what it counted before', () => {
  for (let number = 0; number < 200; number++) window.add(`${number}`, `id-${number}`, 1000);
  commit();
  const again = newWindow(1);
  for (const [chunk, bytes] of chunks) again.restore(chunk, bytes);
  expect(again.bytes).toBe(window.bytes);
  expect(again.hasRoom(1000)).toBe(false);
  expect(again.hasRoom(9000)).toBe(true);
  expect(again.bytes).toBe(0);
});
