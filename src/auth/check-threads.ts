/**
 * Threads for checks of passwords that take long. Node's own threads, where such a check could run too, have the priority of
 * the event loop: where cores are few, a fleet that logs in would hold up everybody's messages for tens of milliseconds.
 * These have the lowest there is, so that checks have what nobody else needs. They begin when they are needed first, as many
 * as there are checks at once, and do not keep the process alive.
 */
import { Worker } from 'node:worker_threads';
import { InvalidState } from '../core/errors.js';

/** One check. What is bytes is copied. */
export type CheckTask =
  | {
      readonly kind: 'argon2';
      /** Where the package is. */
      readonly library: string;
      readonly encoded: string;
      readonly password: Uint8Array;
    }
  | {
      readonly kind: 'pbkdf2';
      readonly salt: Uint8Array;
      readonly iterations: number;
      readonly hash: Uint8Array;
      readonly password: Uint8Array;
    };

/** The least there is: Linux gives a thread with 19 a sixtieth of what one with 0 has, where both want all of a core. */
const NICE = 19;

/**
 * A text, since a thread begins with a file and this module may run where there is none for it. Who sets his own priority on
 * Linux sets that of the thread; on other systems priorities are of processes, and threads keep theirs.
 */
const THREAD = `
const { pbkdf2Sync, timingSafeEqual } = require('node:crypto');
const { setPriority } = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');
if (process.platform === 'linux') {
  try {
    setPriority(workerData.nice);
  } catch {}
}
parentPort.on('message', ({ kind, library, encoded, salt, iterations, hash, password }) => {
  const isRight =
    kind === 'argon2'
      ? require(library).verifySync(encoded, password)
      : timingSafeEqual(pbkdf2Sync(password, salt, iterations, hash.length, 'sha512'), hash);
  parentPort.postMessage(isRight);
});
`;

const idle: CheckThread[] = [];

/**
 * Whether the password is right. As many run at once as are asked for.
 * @throws what the thread ended with
 */
export async function checkInThread(task: CheckTask): Promise<boolean> {
  const thread = idle.pop() ?? new CheckThread();
  return thread.run(task);
}

class CheckThread {
  readonly #worker = new Worker(THREAD, {
    eval: true,
    name: 'password check',
    env: {},
    workerData: { nice: NICE },
  });
  #end: (outcome: boolean | Error) => void = () => {};

  constructor() {
    this.#worker.on('message', (isRight: boolean) => {
      // At once: its end may be the next that is told.
      idle.push(this);
      this.#end(isRight);
    });
    this.#worker.on('error', (error) => this.#end(error));
    // Also without an error, and while nothing is checked: nobody must wait for it, now or later.
    this.#worker.on('exit', (code) => {
      const at = idle.indexOf(this);
      if (at !== -1) idle.splice(at, 1);
      this.#end(new InvalidState(`The thread that checked a password has ended with code ${code}`));
    });
  }

  run(task: CheckTask): Promise<boolean> {
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#end = (outcome) => {
        this.#worker.unref();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      this.#worker.postMessage(task);
    });
  }
}
