/** Runs a program of somebody else's against the broker. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

const running = new Set<ChildProcess>();

/** Runs it to its end. It is ended after `timeoutMs`. */
export function runProgram(command: string, args: readonly string[], timeoutMs = 20_000): Promise<ProgramResult> {
  return startProgram(command, args, timeoutMs).finished;
}

export interface Program {
  readonly finished: Promise<ProgramResult>;
  /** Rejects when it ends: for a race with what it is waited for. */
  readonly endsTooEarly: Promise<never>;
  /** What it has written so far. */
  readonly output: string;
  readonly errors: string;
  /** Ends it as a crash would. */
  kill(): void;
  end(signal: NodeJS.Signals): void;
}

/** Starts it. @param environment beside this process's own */
export function startProgram(
  command: string,
  args: readonly string[],
  timeoutMs = 20_000,
  environment: Readonly<Record<string, string>> = {},
): Program {
  const env = { ...process.env, ...environment };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  running.add(child);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const finished = new Promise<ProgramResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      running.delete(child);
      resolve({ exitCode, output, errors });
    });
  });
  const endsTooEarly = finished.then(({ exitCode }) => {
    throw new Error(`${command} has ended with ${exitCode}: ${errors}${output}`);
  });
  endsTooEarly.catch(() => {});
  return {
    finished,
    endsTooEarly,
    get output() {
      return output;
    },
    get errors() {
      return errors;
    },
    kill: () => child.kill('SIGKILL'),
    end: (signal) => child.kill(signal),
  };
}

/** Ends what a failed test has left behind. */
export function endPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
}
