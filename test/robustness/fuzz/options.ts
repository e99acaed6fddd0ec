/** The command line of the fuzzer. */
import { parseArgs } from 'node:util';

export const USAGE = `npm run fuzz -- [options]

  --minutes N        how long (default: 5)
  --seed N           the inputs of one number are always the same (default: 1)
  --concurrency N    inputs that are played at the same time (default: 24)
  --coverage         tell which parts of the broker were reached; it is slower then
  --replay FILE      play the case in FILE against a new broker
  --in-process       without sockets and disk: more inputs, and coverage for nothing
  --guided           with --in-process: learn from what reaches something new
  --help
`;

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly wantsCoverage: boolean;
  readonly replay: string | undefined;
  readonly isInProcess: boolean;
  readonly isGuided: boolean;
  readonly wantsHelp: boolean;
}

/** @throws TypeError for what is not an option, RangeError for what is no number */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      concurrency: { type: 'string', default: '24' },
      coverage: { type: 'boolean', default: false },
      replay: { type: 'string' },
      'in-process': { type: 'boolean', default: false },
      guided: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    minutes: positive('--minutes', values.minutes),
    seed: positive('--seed', values.seed),
    concurrency: positive('--concurrency', values.concurrency),
    wantsCoverage: values.coverage,
    replay: values.replay,
    isInProcess: values['in-process'],
    isGuided: values.guided,
    wantsHelp: values.help,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`${name}: a number above 0, not "${text}"`);
  return value;
}
