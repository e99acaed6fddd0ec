/**
 * Puts the rules of the section `access` in force anew when their files change. What has something wrong in it is told, and leaves the
 * rules as they are.
 */
import type { Logger } from 'pino';
import type { AccessControl } from '../auth/access/access-control.js';
import type { TriedRoles } from '../auth/administration/role-administration.js';
import { type AccessRulesRead, accessFingerprint, readAccessRules } from './access-files.js';
import type { AccessSettings } from './access-schema.js';
import { type ConfigurationProblem, problemText } from './configuration-error.js';
import type { SettingPath } from './setting-path.js';
import { didYouMean } from './suggestion.js';

/** Watches files, and calls back some time after one may have changed. */
export type WatchFiles = (files: readonly string[], onMaybeChanged: () => void) => { close(): void };

export class AccessReload {
  readonly #settings: AccessSettings;
  readonly #control: AccessControl;
  readonly #logger: Logger;
  readonly #watch: { close(): void } | null;
  /** Of the files as they were when they were looked at last. */
  #fingerprint: string;

  /** @param fingerprint of the files that the rules in force are from */
  constructor(
    settings: AccessSettings,
    control: AccessControl,
    fingerprint: string,
    watchFiles: WatchFiles,
    logger: Logger,
  ) {
    this.#settings = settings;
    this.#control = control;
    this.#fingerprint = fingerprint;
    this.#logger = logger;
    const files = [settings.aclFile, settings.rolesFile].flatMap((file) => file ?? []);
    this.#watch = files.length === 0 ? null : watchFiles(files, () => this.#reload(false));
  }

  /** Reads the files now: somebody has asked for it. */
  reload(): void {
    if (this.#watch !== null) this.#reload(true);
  }

  /**
   * What the rules come to with another file of roles.
   * @returns what is wrong then, and what puts them in force, once the file says so
   */
  tryRoles(text: string): TriedRoles {
    const { rules, problems, fingerprint } = readAccessRules(this.#settings, settingIs, text);
    return {
      problems: problems.map((problem) => ({ where: problem.where, text: withoutPlace(problem) })),
      takeEffect: () => {
        if (rules === undefined) return;
        this.#fingerprint = fingerprint;
        this.#control.replace(rules);
      },
    };
  }

  close(): void {
    this.#watch?.close();
  }

  /** @param isAskedFor what is known to be wrong already is told again */
  #reload(isAskedFor: boolean): void {
    // Asked every minute, and whenever a neighbour of the files has changed: thousands of rules are not read for that.
    if (!isAskedFor && accessFingerprint(this.#settings) === this.#fingerprint) return;
    const read = readAccessRules(this.#settings, settingIs);
    const hasChanged = read.fingerprint !== this.#fingerprint;
    this.#fingerprint = read.fingerprint;
    if (hasChanged || (isAskedFor && read.rules === undefined)) this.#apply(read);
  }

  #apply({ rules, problems }: AccessRulesRead): void {
    if (rules === undefined) {
      const about = { problems: problems.map(problemText) };
      this.#logger.error(about, 'the rules of access cannot be used; those before stay in force');
      return;
    }
    this.#control.replace(rules);
    this.#logger.info({ version: this.#control.version }, 'the rules of access have changed');
  }
}

/** Where a problem is told that concerns no line of a file. */
function settingIs(path: SettingPath): string {
  return path.join('.');
}

/** Of a text that was never written, nobody can look up a line. */
function withoutPlace({ path, message, suggestion }: ConfigurationProblem): string {
  return `${path === '' ? '' : `${path}: `}${message}${didYouMean(suggestion)}`;
}
