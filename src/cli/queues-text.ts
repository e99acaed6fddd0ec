/** What the broker says of queues, for people. */
import type { MessageAnswer, MessagePage } from '../http/message-answer.js';
import type { DamagedQueue, QueueDetail, QueueSummary, RedriveAnswer } from '../http/queue-answers.js';
import { formatTable } from './text-table.js';

/** Of a payload; the rest is to be had as JSON. */
const SHOWN_CHARACTERS = 60;

const RIGHT = true;

export function queueListText(queues: readonly QueueSummary[], damaged: readonly DamagedQueue[]): string {
  const table = queues.length === 0 ? 'there are no queues\n' : tableOf(queues);
  return `${table}${damaged.map((queue) => `${damagedQueueText(queue)}\n`).join('')}`;
}

/** A sentence that says what is wrong, and what to do. */
export function damagedQueueText({ number, messages }: DamagedQueue): string {
  return `the definition of queue number ${number} is damaged: nobody can use it, and its ${countOf(messages, 'message')} ${messages === 1 ? 'is' : 'are'} kept. Start with a copy of the data directory in which it is whole, or give it up: millrace queues give-up ${number}`;
}

function tableOf(queues: readonly QueueSummary[]): string {
  return formatTable(
    [
      { title: 'QUEUE' },
      { title: 'READY', isRight: RIGHT },
      { title: 'IN FLIGHT', isRight: RIGHT },
      { title: 'DELAYED', isRight: RIGHT },
      { title: 'BYTES', isRight: RIGHT },
      { title: 'OLDEST', isRight: RIGHT },
      { title: 'CONSUMERS', isRight: RIGHT },
      { title: 'TYPE' },
      { title: 'DEAD LETTERS' },
    ],
    queues.map(({ name, type, deadLetterQueue, statistics: numbers }) => [
      name,
      String(numbers.ready),
      String(numbers.inFlight),
      String(numbers.delayed),
      String(numbers.bytes),
      isEmpty(numbers) ? '-' : ageText(numbers.oldestAgeMs),
      String(numbers.consumers),
      type,
      deadLetterQueue ?? '-',
    ]),
  );
}

export function queueText(queue: QueueDetail): string {
  const { name, options, counters, statistics, sources, redrive, history, push } = queue;
  const { dropped, refused, ...counted } = counters;
  return [
    `${name}\n`,
    section('options', Object.entries(options)),
    section('now', Object.entries(statistics)),
    section('since the start of the broker', [
      ...Object.entries(counted),
      ...Object.entries(dropped).map(([reason, count]) => [`dropped: ${reason}`, count] as const),
      ...Object.entries(refused).map(([reason, count]) => [`refused: ${reason}`, count] as const),
    ]),
    section('history of messages that have left', Object.entries(history)),
    push === null ? '' : pushSection(push),
    sources.length === 0 ? '' : `\n  dead letters of: ${sources.join(', ')}\n`,
    redrive === null ? '' : `\n  ${redriveText(redrive)}`,
  ].join('');
}

function pushSection({ failed, lastFailure, ...push }: NonNullable<QueueDetail['push']>): string {
  return section('webhook', [
    ...Object.entries(push),
    ...Object.entries(failed).map(([reason, count]) => [`failed: ${reason}`, count] as const),
    ['lastFailure', lastFailure === null ? null : `${lastFailure.at}: ${lastFailure.reason}`],
  ]);
}

/** What is 0 is left out: of many counters most are. */
function section(title: string, entries: readonly (readonly [string, unknown])[]): string {
  const told = entries.filter(([, value]) => value !== 0 && value !== null && value !== false);
  const rows = told.map(([name, value]) => [
    '   ',
    name,
    typeof value === 'object' ? JSON.stringify(value) : `${value}`,
  ]);
  if (rows.length === 0) return '';
  return `\n  ${title}\n${formatTable([{ title: '' }, { title: '' }, { title: '' }], rows).replace(/^\n/, '')}`;
}

/** @param nowMs of this machine */
export function messagesText({ messages, cursor }: MessagePage, nowMs: number): string {
  const more = cursor === null ? '' : `there may be more: --cursor ${cursor}\n`;
  if (messages.length === 0) return `${more === '' ? 'no messages\n' : more}`;
  const table = formatTable(
    [
      { title: 'ID' },
      { title: 'STATE' },
      { title: 'ATTEMPTS', isRight: RIGHT },
      { title: 'AGE', isRight: RIGHT },
      { title: 'GROUP' },
      { title: 'TOPIC' },
      { title: 'PAYLOAD' },
    ],
    messages.map((message) => [
      message.id,
      stateText(message),
      String(message.attempts),
      ageText(nowMs - Date.parse(message.enqueuedAt)),
      message.group === '' ? '-' : message.group,
      message.topic,
      payloadText(message.payload),
    ]),
  );
  return `${table}${more}`;
}

function stateText({ state, holder, origin }: MessageAnswer): string {
  const reason = origin === null ? '' : ` (${origin.reason} in ${origin.queue})`;
  return `${holder === null ? state : `${state}: ${holder}`}${reason}`;
}

/** The beginning of it, in one line or more. */
export function payloadText({ encoding, data, bytes }: MessageAnswer['payload']): string {
  if (encoding === 'base64') return `${bytes} bytes: ${data.slice(0, SHOWN_CHARACTERS)}`;
  return data.length <= SHOWN_CHARACTERS ? data : `${data.slice(0, SHOWN_CHARACTERS)}… (${bytes} bytes)`;
}

export function redriveText({ state, target, moved, failed, left, total }: RedriveAnswer): string {
  const to = target === null ? 'where they came from' : target;
  const others = [...(failed > 0 ? [`${failed} could not be moved`] : []), ...(left > 0 ? [`${left} left`] : [])].map(
    (part) => `, ${part}`,
  );
  return `redrive ${state}: ${moved} of ${countOf(total, 'message')} moved to ${to}${others.join('')}\n`;
}

function isEmpty({ ready, inFlight, delayed }: QueueSummary['statistics']): boolean {
  return ready + inFlight + delayed === 0;
}

/** In the largest unit of which it has one. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `1 message`, `2 messages` */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
