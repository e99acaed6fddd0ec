/** Short ways to put messages into a message log and to read them back. */
import type { DurabilityLevel } from '../../src/core/durability.js';
import type { MessageLog, StreamReference } from '../../src/store/message-log.js';
import type { QueueEntry } from '../../src/store/queue-entry.js';
import { type TestMessageFields, testMessage } from './test-message.js';

export interface AppendFields extends Omit<TestMessageFields, 'payload'> {
  readonly streams?: readonly StreamReference[];
  readonly references?: number;
  readonly durability?: DurabilityLevel;
  readonly entries?: readonly QueueEntry[];
}

/** @returns the message's number */
export function append(log: MessageLog, payload: string | Buffer, fields: AppendFields = {}): number {
  const { streams = [], references = 1, durability = 'fsync', entries } = fields;
  const sequence = log.nextSequence;
  log.append(testMessage({ ...fields, payload }), streams, references, durability, entries);
  return sequence;
}

/** Of a message that is in memory. @returns null if it is gone, undefined if it has to be read first */
export function payloadOf(log: MessageLog, sequence: number): string | null | undefined {
  const found = log.find(sequence, { onLoaded: () => {} });
  return found === undefined || found === null ? found : found.payload.toString();
}

/** The same, read if it has to be. */
export async function readPayload(log: MessageLog, sequence: number): Promise<string | null> {
  for (;;) {
    let isLoaded: () => void = () => {};
    const loaded = new Promise<void>((resolve) => {
      isLoaded = resolve;
    });
    const found = log.find(sequence, { onLoaded: isLoaded });
    if (found !== undefined) return found === null ? null : found.payload.toString();
    await loaded;
  }
}

/** What is on record for a queue, as text, read if it has to be. */
export async function readEntryText(log: MessageLog, sequence: number, queue: number): Promise<string | null> {
  for (;;) {
    let isLoaded: () => void = () => {};
    const loaded = new Promise<void>((resolve) => {
      isLoaded = resolve;
    });
    const found = log.findEntry(sequence, queue, { onLoaded: isLoaded });
    if (found !== undefined) return found === null ? null : found.toString();
    await loaded;
  }
}
