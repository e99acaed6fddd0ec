/** A fleet in a process of its own, so that what it does is not done by the process that measures. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchFailure } from '../bench-failure.js';
import type { Address } from './broker-under-test.js';
import type { Protocol } from './frames.js';
import type { FleetLogin } from './login-storm-job.js';

const PROCESS = fileURLToPath(new URL('./fleet-process.js', import.meta.url));

export interface LogIn {
  readonly order: 'log in';
  readonly address: Address;
  readonly protocol: Protocol;
  readonly connections: number;
  readonly longestMs: number;
}

export type FleetOrder = LogIn | { readonly order: 'leave' };

export type FleetAnswer =
  | { readonly answer: 'ready' }
  | { readonly answer: 'logged in'; readonly login: FleetLogin }
  | { readonly answer: 'left' };

export class Fleet {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when the process is up, and has nothing to do. */
  static async start(): Promise<Fleet> {
    const fleet = new Fleet(fork(PROCESS, { execArgv: [] }));
    await fleet.#answer();
    return fleet;
  }

  async logIn(order: Omit<LogIn, 'order'>): Promise<FleetLogin> {
    this.#child.send({ ...order, order: 'log in' } satisfies FleetOrder);
    const answered = await this.#answer();
    if (answered.answer !== 'logged in') throw new BenchFailure(`the fleet answered '${answered.answer}'`);
    return answered.login;
  }

  async leave(): Promise<void> {
    this.#child.send({ order: 'leave' } satisfies FleetOrder);
    await this.#answer();
  }

  end(): void {
    this.#child.disconnect();
  }

  #answer(): Promise<FleetAnswer> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new BenchFailure(`the fleet's process ended with ${code}`));
      this.#child.once('exit', onExit);
      this.#child.once('message', (message) => {
        this.#child.off('exit', onExit);
        resolve(message as FleetAnswer);
      });
    });
  }
}
