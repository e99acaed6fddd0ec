/**
 * What a consumer says of a message on the control topic of its queue, if it cannot say it by the reason code of PUBACK:
 * `{"id": "…", "action": "ack" | "nack" | "reject" | "extend", "delay": seconds}`.
 */

const ACTIONS = ['ack', 'nack', 'reject', 'extend'] as const;
const LONGEST_COMMAND_BYTES = 4096;
const LONGEST_DELAY_SECONDS = 366 * 86_400;

export interface WorkCommand {
  /** Of the message. */
  readonly id: string;
  readonly action: (typeof ACTIONS)[number];
  /** After a nack the message stays away for so long, and with extend it stays the consumer's; the queue decides unless given. */
  readonly delayMs: number | undefined;
}

/** @returns null for anything that is no such command */
export function parseWorkCommand(payload: Buffer): WorkCommand | null {
  if (payload.length > LONGEST_COMMAND_BYTES) return null;
  let fields: unknown;
  try {
    fields = JSON.parse(payload.toString());
  } catch {
    return null;
  }
  if (typeof fields !== 'object' || fields === null) return null;
  const { id, action, delay } = fields as Record<string, unknown>;
  const known = ACTIONS.find((word) => word === action);
  if (typeof id !== 'string' || known === undefined) return null;
  if (delay === undefined) return { id, action: known, delayMs: undefined };
  if (typeof delay !== 'number' || !(delay >= 0 && delay <= LONGEST_DELAY_SECONDS)) return null;
  return { id, action: known, delayMs: Math.round(delay * 1000) };
}
