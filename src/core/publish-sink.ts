/**
 * Where publications go beside sessions, as the broker sees it: work queues, of which it knows nothing more. What is taken stands in the
 * one record of the message in the log, and counts as stored in the commit that holds that.
 *
 *   routes.admit ──▶ delivered to sessions ──▶ recorded with routes.entries ──▶ routes.onRecorded
 */
import type { Publication } from './publication.js';

/** What can be done about a publication that is not taken. */
export const Refusal = {
  /** Nothing: it is QoS 0, or nobody sent it as a PUBLISH. It is dropped, and counted. */
  None: 0,
  /** It can be tried again later. */
  Wait: 1,
  /** The publisher can be told. */
  Tell: 2,
} as const;

export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** Goes on record with a message. */
export interface SinkEntry {
  readonly queue: number;
  readonly bytes: Uint8Array;
}

/** What takes messages of one topic. */
export interface SinkRoutes {
  /**
   * Decides about the publication before anybody gets it; the next to be called is {@link onRecorded}, or another admit.
   * Notes in it that it has a receiver, and tickets of what it repeats.
   * @returns false if it is not taken as a whole, which `refusal` allows: nothing has been done with it
   */
  admit(publication: Publication, refusal: Refusal): boolean;
  /** Of what was admitted last. */
  readonly entries: readonly SinkEntry[];
  /** It is on record, with all entries. @returns the ticket of everything recorded for it */
  onRecorded(publication: Publication, sequence: number, ticket: number): number;
}

export interface PublishSink {
  /** The routes of a topic, null if there are none. The same for as long as the sink is there. */
  routesOf(topic: string): SinkRoutes | null;
  /** What it tells about itself below `$SYS/broker/`. */
  figures(): Iterable<readonly [topic: string, value: number]>;
}
