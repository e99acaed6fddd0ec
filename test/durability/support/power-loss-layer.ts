/**
 * The layer between a process and its disk that forgets what was never synced: builds power-loss-shim.c, says how a
 * process is started under it, and cuts the power. One layer for one data directory, over any number of starts.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Adversary, type NameRule, type PowerCut, PowerLossDisk } from './power-loss-disk.js';

const SOURCE = fileURLToPath(new URL('./power-loss-shim.c', import.meta.url));
const COMPILERS = ['cc', 'gcc', 'clang'];

/** Why the layer cannot be used on this machine; undefined if it can. */
export const POWER_LOSS_OBSTACLE: string | undefined =
  process.platform !== 'linux'
    ? 'it needs Linux'
    : findCompiler() === undefined
      ? 'it needs a C compiler (Debian: gcc and libc6-dev)'
      : undefined;

export class PowerLossLayer {
  readonly #library: string;
  readonly #folder: string;
  readonly #directory: string;
  readonly #rule: NameRule;
  #starts = 0;

  /**
   * @param folder for the library and the journals; outside of the data directory
   * @param directory the data directory; it must exist
   */
  constructor(folder: string, directory: string, rule: NameRule = 'with the file') {
    this.#folder = folder;
    this.#directory = directory;
    this.#rule = rule;
    this.#library = join(folder, 'power-loss-shim.so');
    const compiler = findCompiler();
    if (compiler === undefined) throw new Error('no C compiler');
    execFileSync(compiler, ['-O2', '-shared', '-fPIC', '-o', this.#library, SOURCE, '-ldl', '-lpthread']);
  }

  /**
   * What the next process must have in its environment. The disk is taken to hold all that is there now.
   * @param delayMs how much longer each sync takes
   */
  environment(delayMs = 0): Record<string, string> {
    this.#starts += 1;
    mkdirSync(this.#journalFolder);
    return {
      LD_PRELOAD: this.#library,
      MILLRACE_POWER_LOSS_WATCH: this.#directory,
      MILLRACE_POWER_LOSS_JOURNAL: this.#journalFolder,
      MILLRACE_POWER_LOSS_DELAY: String(delayMs),
    };
  }

  /** After the death of the process: the directory becomes what the disk holds. */
  cut(adversary: Adversary): PowerCut {
    const journal = readFileSync(join(this.#journalFolder, 'journal'), 'utf8');
    if (!journal.includes('ready\n')) throw new Error('the process was not under the power loss layer');
    return new PowerLossDisk(journal, this.#rule).restore(
      this.#directory,
      join(this.#journalFolder, 'contents'),
      adversary,
    );
  }

  get #journalFolder(): string {
    return join(this.#folder, `journal-${this.#starts}`);
  }
}

function findCompiler(): string | undefined {
  return COMPILERS.find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
