/** A Will Message (section 3.1.2.5), kept with its session until it is published or taken back. */
import type { Message } from '../core/message.js';
import type { StoredOwner } from '../store/catalogue-records.js';

export interface Will {
  readonly message: Message;
  /** Seconds from the connection's end to the publishing; the session's end comes first if it is earlier. */
  readonly delaySeconds: number;
  /** Who has left it; undefined if that has been forgotten. */
  readonly owner?: StoredOwner | undefined;
}
