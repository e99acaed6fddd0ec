/** `millrace queues search`: messages in the history of queues, over as many calls as it takes to find so many as were asked for. */
import type { TraceAnswer, TracedMessageAnswer } from '../http/trace-answer.js';
import { type AdminConsole, AdminMisuse, type AdminRequest } from './admin-request.js';
import { EXPECTED_TIME, parsePointInTime } from './point-in-time.js';
import type { QueueCalls } from './queue-calls.js';
import { DEFAULT_FOUND, MOST_FOUND } from './queues-usage.js';
import { traceText } from './trace-text.js';

/** As many as the broker gives at once. */
const PAGE = 100;

/** Of each payload: enough for the line of text that is shown, or all of it for programs, if it is of a device. */
const SHOWN_BYTES = 256;
const JSON_BYTES = 64 * 1024;

/** @returns true, whether anything was found or not @throws AdminCallFailed */
export async function searchQueues(
  { operand, options, switches }: AdminRequest,
  calls: QueueCalls,
  console: AdminConsole,
): Promise<true | AdminMisuse> {
  const isJson = switches.has('json');
  const limit = limitOf(options.get('limit'));
  if (limit instanceof AdminMisuse) return limit;
  const query = queryOf(options, console.nowMs());
  if (query instanceof AdminMisuse) return query;
  query.set('payloadBytes', String(isJson ? JSON_BYTES : SHOWN_BYTES));
  const answer = await collect(operand, query, limit, calls);
  console.print(isJson ? `${JSON.stringify(answer)}\n` : traceText(answer));
  return true;
}

function queryOf(options: ReadonlyMap<string, string>, nowMs: number): URLSearchParams | AdminMisuse {
  const query = new URLSearchParams();
  for (const name of ['id', 'key', 'topic', 'order', 'cursor']) {
    const value = options.get(name);
    if (value !== undefined) query.set(name, value);
  }
  for (const name of ['from', 'to']) {
    const text = options.get(name);
    if (text === undefined) continue;
    const atMs = parsePointInTime(text, nowMs);
    if (atMs === undefined) return new AdminMisuse(`flag --${name}: ${EXPECTED_TIME}, found "${text}"`);
    query.set(name, new Date(atMs).toISOString());
  }
  return query;
}

function limitOf(text = String(DEFAULT_FOUND)): number | AdminMisuse {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MOST_FOUND) return limit;
  return new AdminMisuse(`flag --limit: expected a whole number from 1 to ${MOST_FOUND}, found "${text}"`);
}

async function collect(
  queue: string | undefined,
  query: URLSearchParams,
  limit: number,
  calls: QueueCalls,
): Promise<TraceAnswer> {
  const messages: TracedMessageAnswer[] = [];
  let examined = 0;
  let damaged = 0;
  for (;;) {
    query.set('limit', String(Math.min(PAGE, limit - messages.length)));
    const answer = await (queue === undefined
      ? calls.call('GET', `/api/v1/history?${query}`)
      : calls.ofQueue(queue, 'GET', `/history?${query}`));
    const page = answer as TraceAnswer;
    messages.push(...page.messages);
    examined += page.examined;
    damaged += page.damaged;
    if (page.cursor === null || messages.length >= limit) return { ...page, messages, examined, damaged };
    query.set('cursor', page.cursor);
  }
}
