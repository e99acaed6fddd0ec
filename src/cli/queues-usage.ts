/** The commands for queues of a broker that is running, and their help texts. */
import type { Command, CommandFlag } from './command.js';

const WHERE = `The broker is found by the configuration, as start reads it: by its data directory, in which it says where it
listens. --url and --token-file say it for a broker on another machine, or without a data directory.`;

const COMMON: readonly CommandFlag[] = [
  { name: 'json', help: 'print the answer of the broker as JSON' },
  { name: 'url', value: 'URL', help: 'where the broker answers by HTTP, such as http://127.0.0.1:8080' },
  { name: 'token-file', value: 'FILE', help: 'file with the token of the administration' },
];

export const DEFAULT_PEEKED = 10;

export const QUEUE_COMMANDS: readonly Command[] = [
  {
    name: 'queues ls',
    summary: 'list the queues of a running broker',
    details: `Lists all queues with what is in them.\n\n${WHERE}`,
    readsConfiguration: true,
    flags: COMMON,
  },
  {
    name: 'queues show',
    summary: 'show one queue: options, messages, counters',
    details: `Shows the options of a queue, what is in it, and what has become of its messages.\n\n${WHERE}`,
    readsConfiguration: true,
    operand: 'QUEUE',
    flags: COMMON,
  },
  {
    name: 'queues peek',
    summary: 'look at messages of a queue without taking them',
    details: `Shows messages of a queue, the oldest first, and leaves them where they are.\n\n${WHERE}`,
    readsConfiguration: true,
    operand: 'QUEUE',
    flags: [
      { name: 'limit', value: 'N', help: `messages, 1 to 100 (default ${DEFAULT_PEEKED})` },
      { name: 'state', value: 'STATE', help: 'only those that are ready, in-flight or delayed' },
      { name: 'group', value: 'GROUP', help: 'only those of one message group' },
      { name: 'cursor', value: 'CURSOR', help: 'go on where another page has ended' },
      ...COMMON,
    ],
  },
  {
    name: 'queues purge',
    summary: 'give up all messages of a queue',
    details: `Gives up all messages of a queue, those in flight included. There is no way back.\n\n${WHERE}`,
    readsConfiguration: true,
    operand: 'QUEUE',
    flags: [{ name: 'yes', help: 'do not ask' }, ...COMMON],
  },
  {
    name: 'queues redrive',
    summary: 'bring the messages of a dead-letter queue back',
    details: `Begins to move the messages of a dead-letter queue back to where they came from, with their attempts at zero.\nThe broker goes on with it when the command has ended.\n\n${WHERE}`,
    readsConfiguration: true,
    operand: 'QUEUE',
    flags: [
      { name: 'to', value: 'QUEUE', help: 'move all of them there instead' },
      { name: 'ids', value: 'ID,…', help: 'move only these, as peek shows them' },
      { name: 'rate', value: 'N', help: 'messages a second at most (default 100)' },
      { name: 'wait', help: 'end when the redrive does; exit code 1 if it does not complete' },
      { name: 'status', help: 'begin nothing: say how far the last one has come' },
      { name: 'cancel', help: 'begin nothing: cancel the one that is running' },
      ...COMMON,
    ],
  },
];
