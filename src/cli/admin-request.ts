/** What a command for a running broker is given: by the command line, and by the process. */
import type { NoPassword } from './password-input.js';

/** What was asked for on the command line. */
export interface AdminRequest {
  /** `queues ls` */
  readonly command: string;
  /** What it is about, if it is about one thing. */
  readonly operand: string | undefined;
  readonly operands: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
}

/** What the command needs of the process. */
export interface AdminConsole {
  print(text: string): void;
  /** Asks somebody at the terminal. @returns null if there is nobody */
  confirm(question: string): Promise<boolean> | null;
  /** Typed twice at a terminal, or the line of standard input. */
  readPassword(): Promise<string | NoPassword>;
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

/** The command makes no sense as it is; nothing has been done. */
export class AdminMisuse {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Prints what the broker has answered: for people, or with `--json` for programs. */
export function showAnswer(
  { switches }: AdminRequest,
  console: AdminConsole,
  answer: object,
  text: () => string,
): true {
  console.print(switches.has('json') ? `${JSON.stringify(answer)}\n` : text());
  return true;
}

/** @returns what the command ends with if nobody says yes; null if somebody does, or `--yes` has */
export async function askFirst(
  { command, switches }: AdminRequest,
  console: AdminConsole,
  question: string,
): Promise<false | AdminMisuse | null> {
  if (switches.has('yes')) return null;
  const confirmed = console.confirm(`${question} (yes/no) `);
  if (confirmed === null) return new AdminMisuse(`${command} asks on a terminal only: say --yes`);
  if (await confirmed) return null;
  console.print('nothing was done\n');
  return false;
}
