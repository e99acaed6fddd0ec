/** Files that are one thing, were read with the configuration, and are read again when they have changed. */
import type { FileRead } from './auth-files.js';
import { problemText } from './configuration-error.js';
import { fileState } from './file-state.js';

export class ReloadedFile {
  readonly paths: readonly string[];
  readonly what: string;
  readonly #read: () => FileRead<unknown>;
  readonly #take: (value: unknown) => void;
  /** When it was read last, and when it was looked at last. */
  #readState: string;
  #seenState: string;
  #problems = '';

  constructor(paths: readonly string[], what: string, read: () => FileRead<unknown>, take: (value: unknown) => void) {
    this.paths = paths;
    this.what = what;
    this.#read = read;
    this.#take = take;
    this.#readState = stateOf(paths);
    this.#seenState = this.#readState;
  }

  /**
   * Takes what it says now, if it has changed, and is no longer being written: half a file of users would have the others
   * thrown out.
   * @returns `same` also for problems that have been told before
   */
  reload(isForced: boolean): 'same' | 'settling' | 'changed' | { readonly problems: readonly string[] } {
    const state = stateOf(this.paths);
    if (state === this.#readState && !isForced) return 'same';
    const isSettled = state === this.#seenState;
    this.#seenState = state;
    if (!isSettled && !isForced) return 'settling';
    this.#readState = state;
    const { value, problems } = this.#read();
    const texts = problems.map(problemText);
    const told = this.#problems;
    this.#problems = texts.join('\n');
    if (texts.length > 0) return this.#problems === told ? 'same' : { problems: texts };
    this.#take(value);
    return 'changed';
  }

  /** @returns takes what the broker itself has just written there: it need not be read again */
  replacing<Value>(take: (value: Value) => void): (value: Value) => void {
    return (value) => {
      this.#readState = stateOf(this.paths);
      this.#seenState = this.#readState;
      this.#problems = '';
      take(value);
    };
  }
}

function stateOf(paths: readonly string[]): string {
  return paths.map(fileState).join();
}
