import type { SettingPath } from './setting-path.js';

/** What should hold between settings, and does not. */
export interface BrokenRule {
  /** The settings involved, the one that is most likely wrong first. */
  readonly paths: readonly SettingPath[];
  readonly message: string;
}
