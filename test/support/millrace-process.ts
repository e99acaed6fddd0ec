/** The built executable, or another script, as a process of its own that ends with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

const { PATH = '' } = process.env;

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export class Run {
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  stdout = '';
  stderr = '';

  constructor(
    directory: string,
    script: string,
    args: readonly string[],
    environment: Record<string, string> = {},
    input?: string,
  ) {
    this.child = spawn(process.execPath, [script, ...args], {
      cwd: directory,
      env: { PATH, ...environment },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.child.stdin?.end(input);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#closed = once(this.child, 'close');
  }

  async exitCode(): Promise<unknown> {
    return (await this.#closed)[0];
  }

  /** Waits until standard output contains `text`. */
  async seen(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null) expect.fail(`ended without "${text}": ${this.stdout}${this.stderr}`);
      await Promise.race([once(this.child.stdout ?? this.child, 'data'), this.#closed]);
    }
  }

  records(): Record<string, unknown>[] {
    return this.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** @param directory working directory */
export function runIn(
  directory: string,
  script: string,
  args: readonly string[],
  environment?: Record<string, string>,
  input?: string,
): Run {
  const started = new Run(directory, script, args, environment, input);
  onTestFinished(() => void started.child.kill('SIGKILL'));
  return started;
}
