/** What became of a message, from the rows that its history has of it. */
import { decodeEntry } from '../entry-codec.js';
import type { GoneQueue } from './gone-queue.js';
import { parseRowKey } from './history-keys.js';
import type { HistoryMessage } from './history-message.js';
import type { MessageRows } from './message-rows.js';
import { decodeTraceEvent, type TraceEvent } from './trace-event.js';
import type { TracedMessage, TraceState } from './trace-query.js';

/**
 * @param queue its name, and that it is gone if it is
 * @throws DamagedQueueRecord
 */
export function tracedMessage(
  { sequence, rows }: MessageRows,
  known: HistoryMessage,
  queue: { readonly name: string; readonly gone: GoneQueue | null },
  nowMs: number,
): TracedMessage {
  const { enqueuedAtMs, isMoved, message, entryBytes } = known;
  const entry = decodeEntry(entryBytes);
  const from = entry.origin?.queue ?? '';
  const events: TraceEvent[] = [{ kind: 'enqueued', atMs: enqueuedAtMs, isMoved, from }];
  for (const [key, value] of rows) if (parseRowKey(key).event !== -1) events.push(decodeTraceEvent(value));
  let last = events.at(-1) as TraceEvent;
  if (queue.gone !== null && !isDeparture(last)) {
    // To write that down for each message would make a purge as long as the queue.
    last = { kind: 'dropped', atMs: queue.gone.goneAtMs, by: '', reason: queue.gone.reason };
    events.push(last);
  }
  return {
    queue: queue.name,
    id: entry.id,
    sequence,
    state: stateAfter(last, entry.delayedUntilMs, nowMs),
    arrivedAtMs: enqueuedAtMs,
    leftAtMs: isDeparture(last) ? last.atMs : null,
    message,
    entry,
    events,
  };
}

function isDeparture({ kind }: TraceEvent): boolean {
  return kind === 'acknowledged' || kind === 'dead-lettered' || kind === 'moved' || kind === 'dropped';
}

function stateAfter(last: TraceEvent, delayedUntilMs: number, nowMs: number): TraceState {
  switch (last.kind) {
    case 'enqueued':
      return delayedUntilMs > nowMs ? 'delayed' : 'ready';
    case 'delivered':
      return 'in-flight';
    case 'returned':
      return last.delayMs > 0 && last.atMs + last.delayMs > nowMs ? 'delayed' : 'ready';
    case 'acknowledged':
      return 'done';
    default:
      return last.kind;
  }
}
