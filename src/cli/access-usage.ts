/** The command for the rules of access, and its help text. */
import type { Command } from './command.js';

export const ACCESS_COMMAND: Command = {
  name: 'acl test',
  summary: 'ask the rules what a client may do, and which of them decides',
  details: `Reads the rules of the configuration (section access) and says whether a client may do one thing, and by which rule.

  millrace acl test --config millrace.yaml --user station-7 --client s7 --publish sites/7/telemetry

Exit codes of its own: 0 allowed, 1 denied.`,
  readsConfiguration: true,
  flags: [
    { name: 'user', value: 'NAME', help: 'user name of the client; without it, one that has none' },
    { name: 'client', value: 'ID', help: 'its client id' },
    { name: 'roles', value: 'A,B', help: 'roles that its credentials name' },
    { name: 'publish', value: 'TOPIC', help: 'may it publish there, or leave a will?' },
    { name: 'subscribe', value: 'FILTER', help: 'is its SUBSCRIBE accepted?' },
    { name: 'receive', value: 'TOPIC', help: 'is it sent messages of the topic?' },
    { name: 'queue', value: 'NAME', help: 'may it use the work queue? Goes with --action' },
    { name: 'action', value: 'ACTION', help: 'send, receive or manage' },
    { name: 'json', help: 'print the answer as JSON' },
  ],
};
