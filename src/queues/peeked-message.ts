/** A message as somebody sees it who looks at a queue without taking anything. */
import type { Message } from '../core/message.js';
import type { MessageEntry } from './entry-codec.js';
import { DELAYED, IN_FLIGHT, NEVER, READY, type TrackedMessage, type TrackedState } from './tracked-message.js';

export type PeekedState = 'ready' | 'in-flight' | 'delayed';

/** What a message that is tracked calls it. */
export const PEEKED_STATES: Readonly<Record<PeekedState, TrackedState>> = {
  ready: READY,
  'in-flight': IN_FLIGHT,
  delayed: DELAYED,
};

export interface PeekedMessage {
  readonly message: Message;
  readonly entry: MessageEntry;
  readonly sequence: number;
  /** What it takes of the queue's `maxBytes`. */
  readonly bytes: number;
  readonly state: PeekedState;
  /** Receives so far that count. */
  readonly attempts: number;
  /** When it is visible again, or its delay is over; null if it is ready, or stays until its consumer goes. */
  readonly dueAtMs: number | null;
  /** These three are 0 if it has not happened. */
  readonly firstReceivedAtMs: number;
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
  /** The name of the consumer that has it in flight; null if that is nobody in particular. */
  readonly holder: string | null;
}

/** @param bytes of content and entry @param tracked undefined if it waits and was never received */
export function peekedMessage(
  sequence: number,
  message: Message,
  entry: MessageEntry,
  bytes: number,
  tracked: TrackedMessage | undefined,
): PeekedMessage {
  const {
    state = READY,
    attempts = 0,
    dueAtMs = 0,
    firstReceivedAtMs = 0,
    firstFailedAtMs = 0,
    lastFailedAtMs = 0,
  } = tracked ?? {};
  return {
    message,
    entry,
    sequence,
    bytes,
    state: state === IN_FLIGHT ? 'in-flight' : state === DELAYED ? 'delayed' : 'ready',
    attempts,
    dueAtMs: dueAtMs === 0 || dueAtMs === NEVER ? null : dueAtMs,
    firstReceivedAtMs,
    firstFailedAtMs,
    lastFailedAtMs,
    holder: tracked?.holder?.name ?? null,
  };
}
