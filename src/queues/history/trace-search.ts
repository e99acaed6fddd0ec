/**
 * Searches the history of queues for messages. What is looked up by id, key or topic goes from one hit to the next; what is not is gone
 * through, from the newest or the oldest one on, in the time that was asked for. It reads what is on the disk: what is
 * not committed yet is not found.
 *
 *   id, key, topic ─▶ TermRows ─────┐
 *   anything else ──▶ MergedRows ───┴▶ does the rest hold? ─▶ TracedMessage
 */
import { matchesTopic } from '../../topics/filter-match.js';
import { InvalidFilter, parseTopicFilter } from '../../topics/topic-filter.js';
import { decodeEntry } from '../entry-codec.js';
import { DamagedQueueRecord, InvalidTraceQuery } from '../queue-errors.js';
import { SearchBudget } from '../search-budget.js';
import type { History } from './history.js';
import { ALL_SEQUENCES, parseRowKey } from './history-keys.js';
import { decodeHistoryMessage, type HistoryMessage } from './history-message.js';
import type { HistoryShelf } from './history-shelf.js';
import { type TermKind, termHash } from './history-term.js';
import { isBefore, MergedRows, type MessageRows, type MessageSource, QueueRows } from './message-rows.js';
import { sequenceAtTime } from './sequence-at-time.js';
import { TermRows } from './term-rows.js';
import {
  type CheckedQuery,
  encodeCursor,
  type TracedMessage,
  type TracePage,
  type TracePosition,
} from './trace-query.js';
import { tracedMessage } from './traced-message.js';

/** Content in one answer, all messages but the last together. */
const MOST_CONTENT_BYTES = 4 * 2 ** 20;

interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

export class TraceSearch {
  readonly #history: History;
  readonly #query: CheckedQuery;
  readonly #shelves: ReadonlyMap<number, HistoryShelf>;
  /** The path of a filter with wildcards; null if there is none. */
  readonly #filter: string | null;
  readonly #budget: SearchBudget;

  /**
   * @param shelves of the queues that are searched
   * @throws InvalidTraceQuery if the topic is no filter
   */
  constructor(history: History, query: CheckedQuery, shelves: readonly HistoryShelf[]) {
    this.#history = history;
    this.#query = query;
    this.#shelves = new Map(shelves.map((shelf) => [shelf.number, shelf]));
    this.#filter = filterOf(query.topic);
    this.#budget = new SearchBudget(history.clock);
  }

  /** To be called once. @throws StoreUnavailable, StoreClosed, and what the disk says */
  async run(): Promise<Omit<TracePage, 'queuesWithoutHistory'>> {
    const source = await this.#open();
    try {
      return await this.#collect(source);
    } finally {
      await source.close();
    }
  }

  async #collect(source: MessageSource): Promise<Omit<TracePage, 'queuesWithoutHistory'>> {
    const { limit, isNewestFirst } = this.#query;
    const messages: TracedMessage[] = [];
    let contentBytes = 0;
    for (await source.advance(); source.head !== null; await source.advance()) {
      if (messages.length >= limit || contentBytes >= MOST_CONTENT_BYTES) break;
      const found = this.#match(source.head);
      if (found === null) continue;
      messages.push(found);
      contentBytes += found.message.byteLength;
    }
    const endedBy = source.head !== null ? 'page' : source.isCutOff ? 'budget' : 'end';
    const { position } = source;
    return {
      messages,
      cursor: endedBy === 'end' || position === null ? null : encodeCursor(position, isNewestFirst),
      endedBy,
      examined: this.#budget.rows,
      damaged: this.#budget.damaged,
    };
  }

  async #open(): Promise<MessageSource> {
    const { isNewestFirst } = this.#query;
    const { rows } = this.#history.log;
    const ranges = await this.#findRanges();
    const hash = this.#termHash();
    if (hash !== null) {
      const isWanted = (position: TracePosition): boolean => this.#isWanted(position, ranges);
      return new TermRows(rows, hash, hullOf([...ranges.values()]), isNewestFirst, this.#budget, isWanted);
    }
    const sources = [...ranges].map(([queue, range]) => new QueueRows(rows, queue, range, isNewestFirst, this.#budget));
    return new MergedRows(sources, isNewestFirst, this.#budget);
  }

  /** By queue: the numbers of messages that may have to be looked at. */
  async #findRanges(): Promise<Map<number, SequenceRange>> {
    const { fromMs, toMs, after, isNewestFirst } = this.#query;
    const { rows } = this.#history.log;
    const ranges = new Map<number, SequenceRange>();
    for (const { number, sinceSequence } of this.#shelves.values()) {
      let from = Math.max(sinceSequence, await sequenceAtTime(rows, number, fromMs, this.#budget));
      let to = await sequenceAtTime(rows, number, toMs, this.#budget);
      // Of two queues that have the same message, one may stand behind the cursor.
      if (after !== null && isNewestFirst) to = Math.min(to, after.sequence + (number < after.queue ? 1 : 0));
      if (after !== null && !isNewestFirst) from = Math.max(from, after.sequence + (number > after.queue ? 0 : 1));
      if (from < to) ranges.set(number, { from, to });
    }
    return ranges;
  }

  #isWanted(position: TracePosition, ranges: ReadonlyMap<number, SequenceRange>): boolean {
    const { after, isNewestFirst } = this.#query;
    const range = ranges.get(position.queue);
    if (range === undefined || position.sequence < range.from || position.sequence >= range.to) return false;
    return after === null || isBefore(after, position, isNewestFirst);
  }

  /** Of what finds the fewest messages. */
  #termHash(): string | null {
    const { id, key, topic } = this.#query;
    const terms: readonly (readonly [TermKind, string | null])[] = [
      ['id', id],
      ['key', key],
      ['topic', this.#filter === null ? topic : null],
    ];
    for (const [kind, text] of terms) if (text !== null) return termHash(kind, text);
    return null;
  }

  /** null for a message that was not asked for, or cannot be read. */
  #match(found: MessageRows): TracedMessage | null {
    const shelf = this.#shelves.get(found.queue);
    const [first] = found.rows;
    // Events alone are left of a message that was never on the disk itself.
    if (shelf === undefined || first === undefined || parseRowKey(first[0]).event !== -1) return null;
    try {
      const known = decodeHistoryMessage(first[1], found.queue);
      return this.#holds(known) ? tracedMessage(found, known, shelf, this.#history.clock.now()) : null;
    } catch (error) {
      if (!(error instanceof DamagedQueueRecord)) throw error;
      this.#budget.onDamaged();
      return null;
    }
  }

  #holds({ enqueuedAtMs, message, entryBytes }: HistoryMessage): boolean {
    const { id, key, topic, fromMs, toMs } = this.#query;
    if (enqueuedAtMs < fromMs || enqueuedAtMs >= toMs) return false;
    if (this.#filter !== null) {
      if (!matchesTopic(this.#filter, message.topic)) return false;
    } else if (topic !== null && message.topic !== topic) return false;
    if (id === null && key === null) return true;
    const entry = decodeEntry(entryBytes);
    return (id === null || entry.id === id) && (key === null || entry.key === key);
  }
}

function filterOf(topic: string | null): string | null {
  if (topic === null) return null;
  const filter = parseTopicFilter(topic, Number.POSITIVE_INFINITY);
  if (filter instanceof InvalidFilter) throw new InvalidTraceQuery('topic', filter.reason);
  if (filter.shareName !== undefined) throw new InvalidTraceQuery('topic', 'is a filter that is shared');
  return filter.hasWildcard ? filter.path : null;
}

function hullOf(ranges: readonly SequenceRange[]): SequenceRange {
  let from = ALL_SEQUENCES;
  let to = 0;
  for (const range of ranges) {
    from = Math.min(from, range.from);
    to = Math.max(to, range.to);
  }
  return { from: Math.min(from, to), to };
}
