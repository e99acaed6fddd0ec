/** The payload of a reading on the wire: JSON, made by the device and read by the observer. */
import type { Reading } from './data-set.js';

/** What the observer needs of a payload. */
export interface ReadingStamp {
  /** The client id of the sender. */
  readonly device: string;
  readonly sequence: number;
  /** Milliseconds since the epoch, by the sender's clock. */
  readonly sentAt: number;
}

/** Everything that one message says: the stamp, then the reading itself. */
export function encodeReading(stamp: ReadingStamp, station: string, reading: Reading): string {
  return JSON.stringify({
    ...stamp,
    sentAt: Math.round(stamp.sentAt * 1000) / 1000,
    station,
    recordedAt: reading.recordedAt,
    values: reading.values,
  });
}

/** Returns undefined when the payload is not one that `encodeReading` has made. */
export function decodeStamp(payload: Uint8Array): ReadingStamp | undefined {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof content !== 'object' || content === null) return undefined;
  const { device, sequence, sentAt } = content as Partial<Record<keyof ReadingStamp, unknown>>;
  if (typeof device !== 'string' || typeof sequence !== 'number' || typeof sentAt !== 'number') return undefined;
  return { device, sequence, sentAt };
}
