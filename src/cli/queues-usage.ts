/** The commands for queues of a broker that is running, and their help texts. */
import { adminCommand, YES } from './admin-usage.js';
import type { Command } from './command.js';

export const DEFAULT_PEEKED = 10;
export const DEFAULT_FOUND = 20;
export const MOST_FOUND = 10_000;

const TIMES = `A TIME is one such as 2026-03-01, 2026-03-01T12:00 (UTC) or 2026-03-01T12:00:30+01:00, or how long ago: 2h, 1h30m.`;

export const QUEUE_COMMANDS: readonly Command[] = [
  adminCommand({
    name: 'queues ls',
    summary: 'list the queues of a running broker',
    details: `Lists all queues with what is in them.`,
  }),
  adminCommand({
    name: 'queues show',
    summary: 'show one queue: options, messages, counters',
    details: `Shows the options of a queue, what is in it, and what has become of its messages.`,
    operand: 'QUEUE',
  }),
  adminCommand({
    name: 'queues peek',
    summary: 'look at messages of a queue without taking them',
    details: `Shows messages of a queue, the oldest first, and leaves them where they are.`,
    operand: 'QUEUE',
    flags: [
      { name: 'limit', value: 'N', help: `messages, 1 to 100 (default ${DEFAULT_PEEKED})` },
      { name: 'state', value: 'STATE', help: 'only those that are ready, in-flight or delayed' },
      { name: 'group', value: 'GROUP', help: 'only those of one message group' },
      { name: 'cursor', value: 'CURSOR', help: 'go on where another page has ended' },
    ],
  }),
  adminCommand({
    name: 'queues search',
    summary: 'find messages, also those that have left, and what happened to them',
    details: `Searches a queue, or all queues that keep a history (queues.NAME.history), for messages that are there or have left,
and shows what happened to each: by when they came, the newest first.

  millrace queues search --id 3vUZ0kq2WnBx000000000001
  millrace queues search orders --key 4711 --from 2h
  millrace queues search --topic 'devices/+/alarms' --from 2026-03-01 --to 2026-03-02 --json

${TIMES}`,
    operand: 'QUEUE',
    isOperandOptional: true,
    flags: [
      { name: 'id', value: 'ID', help: 'the message with this id, in every queue that it came to' },
      { name: 'key', value: 'KEY', help: 'messages with this key' },
      { name: 'topic', value: 'FILTER', help: 'messages that were published to this topic, or that a filter matches' },
      { name: 'from', value: 'TIME', help: 'those that came into the queue then or later' },
      { name: 'to', value: 'TIME', help: 'those that came before' },
      { name: 'order', value: 'ORDER', help: 'newest-first (default) or oldest-first' },
      { name: 'limit', value: 'N', help: `messages, 1 to ${MOST_FOUND} (default ${DEFAULT_FOUND})` },
      { name: 'cursor', value: 'CURSOR', help: 'go on where another search has ended' },
    ],
  }),
  adminCommand({
    name: 'queues purge',
    summary: 'give up all messages of a queue',
    details: `Gives up all messages of a queue, those in flight included. There is no way back.`,
    operand: 'QUEUE',
    flags: [YES],
  }),
  adminCommand({
    name: 'queues give-up',
    summary: 'give up a queue whose definition is damaged',
    details: `Gives up a queue whose definition cannot be read, with its messages and its history. ls shows those that there are, by
their numbers. There is no way back.`,
    operand: 'NUMBER',
    flags: [YES],
  }),
  adminCommand({
    name: 'queues redrive',
    summary: 'bring the messages of a dead-letter queue back',
    details: `Begins to move the messages of a dead-letter queue back to where they came from, with their attempts at zero.\nThe broker goes on with it when the command has ended.`,
    operand: 'QUEUE',
    flags: [
      { name: 'to', value: 'QUEUE', help: 'move all of them there instead' },
      { name: 'ids', value: 'ID,…', help: 'move only these, as peek shows them' },
      { name: 'rate', value: 'N', help: 'messages a second at most (default 100)' },
      { name: 'wait', help: 'end when the redrive does; exit code 1 if it does not complete' },
      { name: 'status', help: 'begin nothing: say how far the last one has come' },
      { name: 'cancel', help: 'begin nothing: cancel the one that is running' },
    ],
  }),
];
