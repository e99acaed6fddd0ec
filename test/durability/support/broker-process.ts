/**
 * The broker as an operator runs it: the built command, a process of its own, a data directory. Everything that a test
 * of durability knows of the broker it knows from here: ports, exit, log lines.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Log lines kept for the report of a failure. */
const KEPT_LINES = 100;

/** Longest time from the start to the line that names the ports. */
const START_PATIENCE_MS = 30_000;

export interface BrokerStart {
  /** Without it the broker keeps nothing: for tests of the harness itself. */
  readonly dataDirectory?: string;
  readonly configurationFile?: string;
  /** `MILLRACE__…` overrides, and what a layer below the broker reads. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A program that runs the broker, `['strace', '-f', …]`; the broker's command line is appended. */
  readonly wrapper?: readonly string[];
  /** Working directory. */
  readonly cwd?: string;
  /** The built command, for those who are built themselves and stand elsewhere. */
  readonly main?: string;
  /** Told of every line that the broker writes. */
  readonly onLine?: (line: string) => void;
}

export interface BrokerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface LogLine {
  readonly listeners?: readonly { readonly name: string; readonly url: string }[];
}

export class BrokerProcess {
  /** Resolves at the end of the process, whatever ended it. */
  readonly exited: Promise<BrokerExit>;
  readonly #child: ChildProcess;
  readonly #lines: string[];
  readonly #pid: number;
  readonly #port: number;
  readonly #webSocketPort: number;
  /** Of the endpoint for clients of SQS. */
  readonly sqsPort: number;
  #exit: BrokerExit | undefined;

  private constructor(
    child: ChildProcess,
    pid: number,
    lines: string[],
    exited: Promise<BrokerExit>,
    started: LogLine,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.exited = exited.then((exit) => {
      this.#exit = exit;
      return exit;
    });
    this.#port = portOf(started, 'tcp');
    this.#webSocketPort = portOf(started, 'ws');
    this.sqsPort = portOf(started, 'sqs');
    this.#pid = pid;
  }

  /** Resolves once the broker has said where it listens. @throws with its output if it ends before */
  static start(options: BrokerStart): Promise<BrokerProcess> {
    return BrokerProcess.spawn(options).started;
  }

  /** Starts it without waiting, for those who end it before it is ready. */
  static spawn(options: BrokerStart): { readonly started: Promise<BrokerProcess>; kill(): Promise<void> } {
    const data = options.dataDirectory === undefined ? [] : ['--data', options.dataDirectory];
    const configuration = options.configurationFile === undefined ? [] : ['--config', options.configurationFile];
    const listeners = ['--port', '0', '--ws-port', '0', '--http-port', '0', '--sqs-port', '0'];
    const command = [process.execPath, options.main ?? MAIN, 'start', ...data, ...listeners, ...configuration];
    const [program = '', ...args] = [...(options.wrapper ?? []), ...command];
    const child = spawn(program, args, {
      // io_uring would pass by every layer that watches system calls.
      env: { PATH: process.env['PATH'] ?? '', UV_USE_IO_URING: '0', ...options.environment },
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = new Promise<BrokerExit>((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
      child.once('error', () => resolve({ code: null, signal: null }));
    });
    return {
      started: firstStartLine(child, exited, options.onLine).then(({ line, lines }) => {
        const pid = options.wrapper === undefined ? child.pid : onlyChildOf(child.pid);
        return new BrokerProcess(child, pid ?? 0, lines, exited, line);
      }),
      kill: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }

  get port(): number {
    return this.#port;
  }

  get webSocketPort(): number {
    return this.#webSocketPort;
  }

  get pid(): number {
    return this.#pid;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** The last lines of its log and of its standard error. */
  get log(): readonly string[] {
    return this.#lines;
  }

  /** Ends the process as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks it to end, as a process manager does. */
  async stop(): Promise<BrokerExit> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<BrokerExit> {
    if (this.#exit !== undefined) return this.#exit;
    if (this.#pid === this.#child.pid) this.#child.kill(signal);
    else process.kill(this.#pid, signal);
    return this.exited;
  }
}

function portOf(started: LogLine, name: string): number {
  const url = started.listeners?.find((listener) => listener.name === name)?.url;
  return url === undefined ? Number.NaN : Number(new URL(url).port);
}

/** What a wrapper has started. Linux only, as are the wrappers. */
function onlyChildOf(pid: number | undefined): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return Number(child);
}

async function firstStartLine(
  child: ChildProcess,
  exited: Promise<BrokerExit>,
  onLine?: (line: string) => void,
): Promise<{ readonly line: LogLine; readonly lines: string[] }> {
  const lines: string[] = [];
  const keep = (text: string): void => {
    lines.push(text);
    if (lines.length > KEPT_LINES) lines.shift();
    onLine?.(text);
  };
  if (child.stdout === null || child.stderr === null) throw new Error('the broker has no output');
  createInterface({ input: child.stderr }).on('line', keep);
  const output = createInterface({ input: child.stdout });
  const line = new Promise<LogLine>((resolve) => {
    output.on('line', (text) => {
      keep(text);
      if (text.includes('"listeners"')) resolve(JSON.parse(text) as LogLine);
    });
  });
  const ended = exited.then(async ({ code, signal }) => {
    if (child.stdout?.readable === true) await once(output, 'close');
    throw new Error(`the broker did not start (${signal ?? code}):\n${lines.join('\n')}`);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the broker did not say where it listens:\n${lines.join('\n')}`));
    }, START_PATIENCE_MS);
  });
  return Promise.race([line, ended, late])
    .finally(() => clearTimeout(timer))
    .then((started) => ({ line: started, lines }));
}
