/** Points in time as they are told: ISO 8601, in UTC. */
import { z } from 'zod';

export const moment = z.iso.datetime();

/** null if it has not come to that. */
export const occurred = moment.nullable();

export function momentOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** @param ms 0 if it has not come to that */
export function occurredAt(ms: number): string | null {
  return ms === 0 ? null : momentOf(ms);
}
