/**
 * How far a message has got when it is acknowledged to its publisher, from the safest to the fastest. Chosen by the
 * operator for everything or for topics; the store keeps to it.
 */
export const DURABILITY_LEVELS = [
  /** Acknowledged once the group commit that holds it has been written and fsynced: survives the loss of power. */
  'fsync',
  /** Acknowledged once it is written to the operating system: survives kill -9, and is lost when the power fails. */
  'os',
  /** Acknowledged at once, and never written: nothing outlives the process. */
  'memory',
] as const;

export type DurabilityLevel = (typeof DURABILITY_LEVELS)[number];

/** Whether `level` promises less than `other`. */
export function isLowerDurability(level: DurabilityLevel, other: DurabilityLevel): boolean {
  return DURABILITY_LEVELS.indexOf(level) > DURABILITY_LEVELS.indexOf(other);
}
