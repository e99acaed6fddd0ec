/** A queue's number that was given up, while its history is kept: in place of the queue's definition. */
import { DamagedQueueRecord } from '../queue-errors.js';

export const GONE_REASONS = ['purged', 'deleted'] as const;
export type GoneReason = (typeof GONE_REASONS)[number];

export interface GoneQueue {
  readonly name: string;
  readonly reason: GoneReason;
  readonly goneAtMs: number;
  /** How long its history is kept from then on. */
  readonly keptMs: number;
  readonly maxBytes: number;
  /** Messages with lower numbers have no history. */
  readonly sinceSequence: number;
  /** What the history takes, about. */
  readonly bytes: number;
}

/** For a number whose queue nobody knows any more, not even by name: nothing of its history is kept. */
export function nothingKept(goneAtMs: number): GoneQueue {
  return { name: '', reason: 'deleted', goneAtMs, keptMs: 0, maxBytes: 0, sinceSequence: 0, bytes: 0 };
}

export function encodeGoneQueue(gone: GoneQueue): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, gone }));
}

/** @returns null if it is the definition of a queue that is there @throws DamagedQueueRecord */
export function decodeGoneQueue(bytes: Buffer): GoneQueue | null {
  if (!bytes.includes('"gone"')) return null;
  const { gone } = parse(bytes);
  if (typeof gone !== 'object' || gone === null) return null;
  const { name, reason, goneAtMs, keptMs, maxBytes, sinceSequence, bytes: size } = gone as Record<string, unknown>;
  const known = GONE_REASONS.find((word) => word === reason);
  if (
    known === undefined ||
    typeof name !== 'string' ||
    typeof goneAtMs !== 'number' ||
    typeof keptMs !== 'number' ||
    typeof maxBytes !== 'number' ||
    typeof sinceSequence !== 'number' ||
    typeof size !== 'number'
  ) {
    throw new DamagedQueueRecord('The record of a queue that is gone is incomplete');
  }
  return { name, reason: known, goneAtMs, keptMs, maxBytes, sinceSequence, bytes: size };
}

function parse(bytes: Buffer): { readonly gone?: unknown } {
  try {
    const record: unknown = JSON.parse(bytes.toString());
    return typeof record === 'object' && record !== null ? record : {};
  } catch {
    throw new DamagedQueueRecord('The record of a queue that is gone cannot be read');
  }
}
