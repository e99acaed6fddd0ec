/** Waits until a change is on the disk, though not for ever. */
import type { Clock } from '../core/clock.js';
import type { QueueRegistry } from '../queues/queue-registry.js';
import type { Ticket } from '../store/ticket.js';
import { Problem } from './problem.js';

/** A disk that takes longer than this is stuck, and the caller is better off knowing. */
const PATIENCE_MS = 10_000;

const NOT_STORED = 'It has been done, but the disk does not take it: until it does, a crash would undo it';

/** @param registry tells of all commits @throws Problem 503 */
export function whenStored(registry: QueueRegistry, clock: Clock, ticket: Ticket): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Problem(503, 'not-stored', NOT_STORED));
    const cancel = clock.schedule(PATIENCE_MS, giveUp);
    const onSettled = (): void => {
      cancel();
      resolve();
    };
    registry.whenSettled(ticket, { onSettled });
  });
}
