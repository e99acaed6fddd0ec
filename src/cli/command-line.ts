/** Takes the command line apart. Decides nothing but what was asked for, and what is wrong with the asking. */
import { parseArgs } from 'node:util';
import type { Command } from './command.js';
import { SETTING_FLAGS } from './config-flags.js';
import { closestName, didYouMean } from './suggestion.js';
import { COMMANDS } from './usage.js';

export type Request =
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly configFile: string | undefined;
      readonly flags: ReadonlyMap<string, string>;
      /** What follows the command's name, if it takes anything: the first of it, and all. */
      readonly operand: string | undefined;
      readonly operands: readonly string[];
      /** Values of the command's own flags, as typed, by name without the dashes. */
      readonly options: ReadonlyMap<string, string>;
      /** The command's own flags without a value that are given. */
      readonly switches: ReadonlySet<string>;
    }
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'misuse'; readonly problems: readonly string[] };

const OWN_FLAGS = COMMANDS.flatMap(({ flags = [] }) => flags);
const COMMAND_FLAGS = OWN_FLAGS.filter(({ value }) => value !== undefined).map(({ name }) => name);
const SWITCHES = OWN_FLAGS.filter(({ value }) => value === undefined).map(({ name }) => name);
const CONFIGURATION_FLAGS = ['config', ...SETTING_FLAGS.map(({ name }) => name)];
const VALUE_FLAGS = [...CONFIGURATION_FLAGS, ...COMMAND_FLAGS];
const ALL_FLAGS = [...VALUE_FLAGS, ...SWITCHES, 'help', 'version'];

/** What cannot be the value of the flag before it. Ids of messages may begin with a dash, too. */
const FLAG = /^(-[a-z]|--[a-z][a-z-]*(=.*)?)$/i;

const OPTIONS = {
  ...Object.fromEntries(VALUE_FLAGS.map((name) => [name, { type: 'string' as const }])),
  ...Object.fromEntries(SWITCHES.map((name) => [name, { type: 'boolean' as const }])),
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** @param args without the executable and the script */
export function parseCommandLine(args: readonly string[]): Request {
  // Not strict: parseArgs would stop at the first problem, and knows no suggestions.
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    if (!ALL_FLAGS.includes(name)) {
      const closest = closestName(name, ALL_FLAGS);
      problems.push(`unknown flag ${rawName}${didYouMean(closest && `--${closest}`)}`);
    } else if (!VALUE_FLAGS.includes(name)) {
      switches.add(name);
      if (inlineValue) problems.push(`flag --${name} takes no value`);
    } else if (value === undefined || value === '' || (!inlineValue && FLAG.test(value))) {
      problems.push(`flag --${name} needs a value`);
    } else if (values.has(name)) {
      problems.push(`flag --${name} is given twice`);
    } else {
      values.set(name, value);
    }
  }

  const [command, operands] = findCommand(words, problems);
  if (problems.length > 0) return { kind: 'misuse', problems };
  if (switches.has('help')) return { kind: 'help', command: words.length === 0 ? undefined : command };
  if (switches.has('version')) return { kind: 'version' };
  const given = [...values.keys(), ...switches];
  const needless = command === undefined ? undefined : given.find((flag) => !takesFlag(command, flag));
  if (command === undefined || needless !== undefined) {
    return { kind: 'misuse', problems: [`millrace ${command?.name ?? ''} takes no flag --${needless ?? ''}`] };
  }
  const missing = command.isOperandOptional ? undefined : operandNames(command)[operands.length];
  if (missing !== undefined) return { kind: 'misuse', problems: [`${command.name} needs a ${missing}`] };
  const configFile = values.get('config');
  const options = new Map([...values].filter(([name]) => COMMAND_FLAGS.includes(name)));
  const flags = new Map([...values].filter(([name]) => CONFIGURATION_FLAGS.includes(name) && name !== 'config'));
  return { kind: 'run', command, configFile, flags, operand: operands[0], operands, options, switches };
}

function takesFlag({ readsConfiguration, flags = [] }: Command, name: string): boolean {
  return flags.some((flag) => flag.name === name) || (readsConfiguration && CONFIGURATION_FLAGS.includes(name));
}

/** @returns the command, and the words that follow its name */
function findCommand(words: readonly string[], problems: string[]): [Command | undefined, readonly string[]] {
  const [first = 'start', second] = words;
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  const typed = group.length > 0 && second !== undefined ? `${first} ${second}` : first;
  const command = COMMANDS.find(({ name }) => name === typed);
  if (command === undefined) {
    const names = (group.length > 0 ? group : COMMANDS).map(({ name }) => name);
    if (typed === first && group.length > 0) problems.push(`${first} needs a command: ${alternatives(names)}`);
    else problems.push(`unknown command ${typed}${didYouMean(closestName(typed, names))}`);
    return [undefined, []];
  }
  const operands = words.slice(command.name.split(' ').length);
  const surplus = operands[operandNames(command).length];
  if (surplus !== undefined) {
    const isFile = /\.(ya?ml|json)$/.test(surplus);
    problems.push(`unexpected argument ${surplus}${didYouMean(isFile ? `--config ${surplus}` : undefined)}`);
  }
  return [command, operands];
}

function operandNames({ operand }: Command): readonly string[] {
  return operand === undefined ? [] : operand.split(' ');
}

/** `a, b or c` */
function alternatives(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}
