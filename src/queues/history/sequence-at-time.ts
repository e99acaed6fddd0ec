/**
 * Which number the first message has that came into a queue at some time or later: messages stand in the order of their numbers, so that
 * some twenty reads find it among millions. If the machine's clock was put back between two runs, what came in that
 * while may be missed.
 */
import type { HistoryRow, HistoryRows } from '../../store/history-rows.js';
import type { SearchBudget } from '../search-budget.js';
import { ALL_SEQUENCES, messageRange, parseRowKey } from './history-keys.js';
import { historyTimeOf } from './history-message.js';

const ROWS_PER_READ = 4;

/** @returns {@link ALL_SEQUENCES} if there is none */
export async function sequenceAtTime(
  rows: HistoryRows,
  queue: number,
  atMs: number,
  budget: SearchBudget,
): Promise<number> {
  if (atMs <= 0) return 0;
  if (atMs === Number.POSITIVE_INFINITY) return ALL_SEQUENCES;
  const last = await findMessage(rows, queue, 0, ALL_SEQUENCES, true, budget);
  if (last === null || timeOf(last) < atMs) return ALL_SEQUENCES;
  let low = 0;
  let high = sequenceOf(last);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await findMessage(rows, queue, middle, high, false, budget);
    if (found === null || timeOf(found) >= atMs) high = middle;
    else low = sequenceOf(found) + 1;
  }
  return low;
}

/** The first message in the range, or the last one; null if there is none. */
async function findMessage(
  rows: HistoryRows,
  queue: number,
  from: number,
  to: number,
  isReverse: boolean,
  budget: SearchBudget,
): Promise<HistoryRow | null> {
  const scan = rows.scan({ ...messageRange(queue, from, to), isReverse });
  try {
    for (let some = await scan.next(ROWS_PER_READ); some.length > 0; some = await scan.next(ROWS_PER_READ)) {
      budget.onRead(some.length);
      const message = some.find(([key]) => parseRowKey(key).event === -1);
      if (message !== undefined) return message;
    }
    return null;
  } finally {
    await scan.close();
  }
}

function timeOf([, value]: HistoryRow): number {
  return historyTimeOf(value);
}

function sequenceOf([key]: HistoryRow): number {
  return parseRowKey(key).sequence;
}
