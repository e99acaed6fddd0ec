#!/usr/bin/env node
/** The executable. Exit codes: 0 ok, 1 failure at run time, 2 wrong usage or configuration. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AccessMisuse, accessAnswerText, testAccess } from './access-command.js';
import { AdminCallFailed } from './admin-client.js';
import { isAdminCommand, runAdminCommand } from './admin-command.js';
import { AdminMisuse } from './admin-request.js';
import { checkSummary } from './check-summary.js';
import { parseCommandLine, type Request } from './command-line.js';
import { type Configuration, loadConfiguration } from './config-loader.js';
import { printConfiguration } from './config-printer.js';
import type { Settings } from './config-schema.js';
import { ConfigurationError } from './configuration-error.js';
import { changePassword, PasswordNotWritten, PasswordRefused } from './passwd-command.js';
import { readPassword } from './password-input.js';
import { makeScramLine, NoScramLine } from './scram-line.js';
import { settingTree } from './setting-tree.js';
import { start } from './start.js';
import { startBroker } from './start-broker.js';
import { askAtTerminal } from './terminal-question.js';
import { commandHelp, generalHelp } from './usage.js';
import { packageVersion } from './version.js';
import { visible } from './visible-text.js';

const FAILURE = 1;
const USAGE_ERROR = 2;

async function main(): Promise<void> {
  const request = parseCommandLine(process.argv.slice(2));
  switch (request.kind) {
    case 'help':
      return print(request.command === undefined ? generalHelp() : commandHelp(request.command));
    case 'version':
      return print(`${packageVersion()}\n`);
    case 'misuse':
      return refuse(`${request.problems.map((problem) => `millrace: ${problem}`).join('\n')}\nSee millrace --help.\n`);
    case 'run':
      return await run(request);
  }
}

async function run(request: Request & { readonly kind: 'run' }): Promise<void> {
  const { command, configFile } = request;
  if (command.name === 'scram') return await scram(request);
  if (command.name === 'passwd') return await passwd(request);
  if (command.name === 'config schema') return print(`${JSON.stringify(settingTree(), null, 2)}\n`);
  const configuration = loadOrRefuse(request);
  if (configuration === undefined) return;
  if (command.name === 'config print') return print(printConfiguration(configuration));
  if (command.name === 'check') return print(checkSummary(configuration, configFile));
  const { settings } = configuration;
  if (command.name === 'acl test') return acl(request, configuration);
  if (isAdminCommand(command.name)) return await administer(request, settings);
  await start(settings, (_, logger, onOpening) => startBroker(configuration, logger, onOpening));
}

async function scram({ operand = '', options }: Request & { readonly kind: 'run' }): Promise<void> {
  const wishes = { mechanism: options.get('mechanism'), iterations: options.get('iterations') };
  const line = await makeScramLine(operand, wishes, process.stdin, process.stderr);
  if (line instanceof NoScramLine) return refuse(`millrace: ${line.reason}\n`);
  print(`${line}\n`);
}

async function passwd({ operands, options, switches }: Request & { readonly kind: 'run' }): Promise<void> {
  const [file = '', username = ''] = operands;
  const wishes = {
    hash: options.get('hash'),
    iterations: options.get('iterations'),
    isDeleting: switches.has('delete'),
  };
  const outcome = await changePassword(file, username, wishes, process.stdin, process.stderr);
  if (outcome instanceof PasswordRefused) return refuse(`millrace: ${visible(outcome.reason)}\n`);
  if (!(outcome instanceof PasswordNotWritten)) return print(`${outcome}\n`);
  process.stderr.write(`millrace: ${visible(outcome.reason)}\n`);
  process.exitCode = FAILURE;
}

function acl(request: Request & { readonly kind: 'run' }, { settings, accessRules }: Configuration): void {
  const answer = testAccess(request, settings.access, accessRules);
  if (answer instanceof AccessMisuse) {
    refuse(`millrace: ${answer.reason}\n`);
    return;
  }
  print(request.switches.has('json') ? `${JSON.stringify(answer)}\n` : visible(accessAnswerText(answer)));
  if (!answer.allowed) process.exitCode = FAILURE;
}

async function administer(
  { command, ...request }: Request & { readonly kind: 'run' },
  settings: Settings,
): Promise<void> {
  try {
    const outcome = await runAdminCommand({ ...request, command: command.name }, settings, {
      print,
      confirm: (question) => askAtTerminal(question, process.stdin, process.stderr),
      readPassword: () => readPassword(process.stdin, process.stderr),
      nowMs: () => Date.now(),
      sleep: (ms) => sleep(ms),
    });
    if (outcome instanceof AdminMisuse) refuse(`millrace: ${outcome.reason}\n`);
    else if (!outcome) process.exitCode = FAILURE;
  } catch (error) {
    if (!(error instanceof AdminCallFailed)) throw error;
    process.stderr.write(`millrace: ${visible(error.message)}\n`);
    // The broker knows better than we what a flag may be.
    const isMisuse = ['invalid-parameter', 'invalid-body', 'invalid-ban'].includes(error.problem ?? '');
    process.exitCode = isMisuse ? USAGE_ERROR : FAILURE;
  }
}

function loadOrRefuse({ configFile, flags }: Request & { readonly kind: 'run' }): Configuration | undefined {
  try {
    return loadConfiguration({ file: configFile, environment: process.env, flags });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const count = error.problems.length === 1 ? '1 problem' : `${error.problems.length} problems`;
    refuse(`${error.message}\nmillrace: ${count} in the configuration\n`);
    return undefined;
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

function refuse(text: string): void {
  process.stderr.write(text);
  process.exitCode = USAGE_ERROR;
}

// `millrace config schema | head` ends without a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

await main();
