/** How safe a message is when it is acknowledged. */

/**
 * - `fsync`: once the group commit that holds it has been synced to the disk;
 * - `os`: once it has been handed to the operating system: survives the end of the process, not that of the machine;
 * - `memory`: at once; nothing outlives the process.
 */
export const DURABILITY_LEVELS = ['fsync', 'os', 'memory'] as const;

export type DurabilityLevel = (typeof DURABILITY_LEVELS)[number];
