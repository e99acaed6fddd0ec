/** A ban in the store: JSON, since it is small, rarely written, and worth being readable. */
import type { Ban } from './ban.js';

export function encodeBan({ kind, value, reason, sinceMs, untilMs }: Ban): Buffer {
  const end = untilMs === Number.POSITIVE_INFINITY ? {} : { untilMs };
  return Buffer.from(JSON.stringify({ version: 1, kind, value, reason, sinceMs, ...end }));
}

/** @returns null for what is none */
export function decodeBan(bytes: Buffer): Ban | null {
  const record = parsed(bytes);
  if (typeof record !== 'object' || record === null) return null;
  const { version, kind, value, reason, sinceMs, untilMs } = record as Record<string, unknown>;
  if (version !== 1 || typeof value !== 'string' || typeof sinceMs !== 'number') return null;
  if (kind !== 'client' && kind !== 'user' && kind !== 'address') return null;
  if (untilMs !== undefined && typeof untilMs !== 'number') return null;
  return {
    kind,
    value,
    reason: typeof reason === 'string' ? reason : undefined,
    origin: 'administration',
    sinceMs,
    untilMs: untilMs ?? Number.POSITIVE_INFINITY,
  };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}
