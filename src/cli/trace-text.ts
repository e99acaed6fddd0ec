/** What a search has found, for people: a line for each message, and one for each thing that happened to it. */
import type { TraceAnswer, TracedMessageAnswer, TraceEventAnswer } from '../http/trace-answer.js';
import { formatDuration } from './duration.js';
import { countOf, payloadText } from './queues-text.js';
import { visibleLine } from './visible-text.js';

/** Of the queues that have no history; more of them say nothing more. */
const SHOWN_QUEUES = 10;

/** As wide as a time. */
const NO_TIME = '-'.padEnd('2026-03-01T12:00:00.000Z'.length);

export function traceText({ messages, cursor, damaged, queuesWithoutHistory }: TraceAnswer): string {
  const notes = [
    ...(messages.length === 0 ? ['no messages found'] : []),
    ...(cursor === null ? [] : [`there may be more: --cursor ${cursor}`]),
    ...(damaged === 0 ? [] : [`${countOf(damaged, 'row')} could not be read, and left out`]),
    ...(queuesWithoutHistory.length === 0 ? [] : [withoutHistoryText(queuesWithoutHistory)]),
  ];
  const found = messages.map((message) => `${messageText(message)}\n`);
  return [...found, ...notes.map((note) => `${visibleLine(note)}\n`)].join('');
}

function withoutHistoryText(queues: readonly string[]): string {
  const shown = queues.slice(0, SHOWN_QUEUES).join(', ');
  const others = queues.length > SHOWN_QUEUES ? ` and ${queues.length - SHOWN_QUEUES} more` : '';
  return `not searched, since they keep no history (queues.NAME.history): ${shown}${others}`;
}

function messageText(message: TracedMessageAnswer): string {
  const { id, queue, state, publishedAt, events } = message;
  const lines = [
    `${id} in ${queue}: ${state}`,
    `  ${publishedAt ?? NO_TIME}  ${publicationText(message)}`,
    ...events.map((event) => `  ${event.at}  ${eventText(event)}`),
  ];
  return lines.map((line) => `${visibleLine(line)}\n`).join('');
}

function publicationText({ topic, publisher, key, group, payload }: TracedMessageAnswer): string {
  const details = [
    `published to ${topic}${by(publisher)}`,
    ...(key === '' ? [] : [`key ${key}`]),
    ...(group === '' ? [] : [`group ${group}`]),
  ];
  return `${details.join(', ')}: ${payloadText(payload)}`;
}

function eventText(event: TraceEventAnswer): string {
  switch (event.kind) {
    case 'enqueued':
      if (event.from !== null) return `enqueued, as a dead letter of ${event.from}`;
      return event.isMoved ? 'enqueued, moved from another queue' : 'enqueued';
    case 'delivered':
      return `delivered${event.to === null ? '' : ` to ${event.to}`}, attempt ${event.attempt}`;
    case 'returned':
      return returnText(event);
    case 'acknowledged':
      return `acknowledged${by(event.by)}`;
    case 'dead-lettered':
      return `dead-lettered to ${event.to}: ${event.reason}${by(event.by)}`;
    case 'moved':
      return `moved to ${event.to}${by(event.by)}`;
    case 'dropped':
      return `dropped: ${event.reason}${by(event.by)}`;
  }
}

function returnText({ by: consumer, reason, delayMs }: Extract<TraceEventAnswer, { kind: 'returned' }>): string {
  const back = delayMs === 0 ? '' : `, back after ${formatDuration(delayMs / 1000)}`;
  switch (reason) {
    case 'refused':
    case 'rejected':
    case 'cancelled':
      return `${reason}${by(consumer)}${back}`;
    case 'visibility-timeout':
      return `visibility timeout${consumer === null ? '' : ` of ${consumer}`}${back}`;
    case 'consumer-gone':
      return `${consumer ?? 'its consumer'} is gone${back}`;
    case 'recalled':
      return `recalled, behind another one of its group${back}`;
  }
}

function by(name: string | null): string {
  return name === null || name === '' ? '' : ` by ${name}`;
}
