/**
 * Puts the configuration together: defaults < file < environment < flags. Finds every problem before it gives up:
 * the file is checked on its own (a wrong value in it is wrong even where the environment covers it), then the whole,
 * then the rules between settings, as far as the settings that they speak of are right, then the files that they name.
 */
import type { z } from 'zod';
import type { PushTarget } from '../bridge/push/push-target.js';
import type { AccessKey } from '../bridge/sqs/signature-v4.js';
import { type AccessRulesRead, readAccessRules } from './access-files.js';
import { type AuthFiles, NO_AUTH_FILES, readAuthFiles } from './auth-files.js';
import { readEnvironment } from './config-environment.js';
import { type ConfigFile, type Positions, readConfigFile } from './config-file.js';
import { readFlags } from './config-flags.js';
import { type Origin, Origins, type Override, originText } from './config-origin.js';
import { type Settings, settingsSchema } from './config-schema.js';
import { ConfigurationError, type ConfigurationProblem, problemText } from './configuration-error.js';
import type { IssueParameters } from './listener-schema.js';
import { readPushTargets } from './push-targets.js';
import { type SettingPath, settingName } from './setting-path.js';
import { suggestSetting } from './setting-suggestion.js';
import { findNode, isList, isSection, settingTree } from './setting-tree.js';
import { findBrokenRules } from './settings-rules.js';
import { readAccessKeys } from './sqs-access-keys.js';
import { tlsFileProblems } from './tls-settings.js';

export interface ConfigurationSources {
  /** Path of the YAML file, as the user gave it. Without one there is no file. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values of the command line by flag name, without the dashes. */
  readonly flags: ReadonlyMap<string, string>;
}

export interface Configuration {
  readonly settings: Settings;
  /** Where each value that is not a default came from. */
  readonly origins: Origins;
  /** What the files of `auth` say. */
  readonly authFiles: AuthFiles;
  /** The rules of `access`, and of what files they are. */
  readonly accessRules: AccessRulesRead;
  /** Those of `sqs.accessKeys`, with their secrets. */
  readonly accessKeys: readonly AccessKey[];
  /** By name of the queue: where its messages are sent. */
  readonly pushTargets: ReadonlyMap<string, PushTarget>;
}

const ACCESS_KEYS: SettingPath = ['sqs', 'accessKeys'];

/** @throws ConfigurationError with every problem of all sources */
export function loadConfiguration(sources: ConfigurationSources): Configuration {
  const tree = settingTree();
  const file = sources.file === undefined ? undefined : readConfigFile(sources.file);
  const values: Values = structuredClone(file?.values ?? {});
  dropEmptySections(values);
  const environment = readEnvironment(sources.environment, tree, [
    ...Object.keys(asMap(values.listeners) ?? {}),
    ...Object.keys(asMap(values.queues) ?? {}),
  ]);
  const flags = readFlags(sources.flags, tree);
  const overrides = [...environment.overrides, ...flags.overrides];

  const origins = fileOrigins(sources.file ?? '', file);
  const located = (issue: Issue): ConfigurationProblem => locate(issue, origins, file?.positions, sources.file ?? '');
  const fileProblems = checkWhole(values)
    .issues.filter((issue) => !issue.isMissing)
    .map(located);
  for (const override of overrides) applyOverride(values, override, origins);
  const whole = checkWhole(values);
  const problems = [
    ...(file?.problems ?? []),
    ...fileProblems,
    ...environment.problems,
    ...flags.problems,
    ...whole.issues.map(located),
    ...ruleProblems(whole, origins),
  ];
  const whereIs = (path: SettingPath): string => whereText(origins.findNearest(path));
  const auth =
    whole.settings === undefined ? { value: NO_AUTH_FILES, problems: [] } : readAuthFiles(whole.settings.auth, whereIs);
  const accessRules = readAccessRules(whole.settings?.access ?? {}, whereIs);
  const access = readAccessKeys(
    whole.settings?.sqs.accessKeys ?? [],
    sources.environment,
    whereText(origins.findNearest(ACCESS_KEYS)),
  );
  const pushes = readPushTargets(whole.settings ?? { queues: {} }, whereIs);
  const tls = whole.settings === undefined ? [] : tlsFileProblems(whole.settings, whereIs);
  const ofFiles = [...auth.problems, ...accessRules.problems, ...access.problems, ...pushes.problems, ...tls];
  const found = [...inOrder(problems, sources.file ?? ''), ...ofFiles];
  if (found.length > 0) throw new ConfigurationError(found);
  const settings = settingsSchema.parse(values);
  const { targets: pushTargets } = pushes;
  return { settings, origins, authFiles: auth.value, accessRules, accessKeys: access.keys, pushTargets };
}

// --- values

interface Values {
  listeners?: unknown;
  queues?: unknown;
  [key: string]: unknown;
}

function asMap(value: unknown): Values | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : undefined;
}

/** `mqtt:` with all of its settings commented out is an empty section, not a wrong one; and a list likewise. */
function dropEmptySections(values: Values, path: readonly string[] = []): void {
  for (const [key, value] of Object.entries(values)) {
    const here = [...path, key];
    const node = findNode(settingTree(), here);
    if (node !== undefined && isList(node) && value === null) values[key] = [];
    if (node === undefined || !isSection(node)) continue;
    const map = asMap(value);
    if (value === null) values[key] = {};
    else if (map !== undefined) dropEmptySections(map, here);
  }
}

function fileOrigins(name: string, file: ConfigFile | undefined): Origins {
  const origins = new Origins();
  for (const [path, { value }] of file?.positions ?? []) {
    origins.set(JSON.parse(path) as SettingPath, { kind: 'file', file: name, ...value });
  }
  return origins;
}

function applyOverride(values: Values, { path, value, origin }: Override, origins: Origins): void {
  let section = values;
  for (const key of path.slice(0, -1)) {
    const below = asMap(section[key]) ?? {};
    section[key] = below;
    section = below;
  }
  section[path.at(-1) ?? ''] = value;
  origins.replace(path, origin);
}

// --- problems

interface Issue {
  readonly path: SettingPath;
  readonly message: string;
  /** The key itself is wrong, not its value. */
  readonly isAboutKey: boolean;
  /** The key is not there at all. */
  readonly isMissing: boolean;
  readonly suggestion?: string | undefined;
  /** A setting beside it; while that one is wrong, this issue may be its consequence. */
  readonly needs?: string | undefined;
}

function issuesOf(values: Values): Issue[] {
  const result = settingsSchema.safeParse(values, { reportInput: true });
  return result.success ? [] : result.error.issues.flatMap(toIssues);
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const suggestion = suggestSetting(path, key);
      return { path: [...path, key], message: 'unknown setting', isAboutKey: true, isMissing: false, suggestion };
    });
  }
  const { aboutKey, needs }: IssueParameters = issue.code === 'custom' ? (issue.params ?? {}) : {};
  const isMissing = issue.input === undefined;
  // A listener that has no kind or port is often `tcp` or `ws` with a typing error.
  const suggestion = isMissing ? suggestSetting(path.slice(0, -2), String(path.at(-2) ?? '')) : undefined;
  return [{ path, message: issue.message, isAboutKey: aboutKey === true, isMissing, suggestion, needs }];
}

function locate(issue: Issue, origins: Origins, positions: Positions | undefined, file: string): ConfigurationProblem {
  const { path, message, suggestion } = issue;
  const origin = origins.findNearest(path);
  // A list of the environment may have the same key as the one of the file that it replaces.
  const position = origin?.kind === 'file' ? positions?.get(JSON.stringify(path)) : undefined;
  const key: Origin | undefined =
    issue.isAboutKey && position !== undefined ? { kind: 'file', file, ...position.key } : origin;
  return { where: whereText(key), path: settingName(path), message, suggestion };
}

function whereText(origin: Origin | undefined): string {
  return origin === undefined ? 'default' : originText(origin);
}

interface Checked {
  readonly issues: readonly Issue[];
  /** The settings with everything that is wrong replaced by its default; undefined if that is not possible. */
  readonly settings: Settings | undefined;
}

/**
 * Checks in rounds: what is wrong is taken out and the rest checked again, because a check that looks at several
 * settings does not run while one of them is wrong.
 */
function checkWhole(values: Values): Checked {
  const copy = structuredClone(values);
  const issues: Issue[] = [];
  for (let round = 0; round < 8; round++) {
    const found = issuesOf(copy);
    if (found.length === 0) return { issues, settings: settingsSchema.parse(copy) };
    for (const issue of found) {
      const { path, isMissing, needs } = issue;
      const isConsequence = isMissing
        ? round > 0
        : needs !== undefined && isWrong(issues, [...path.slice(0, -1), needs]);
      if (!isConsequence) issues.push(issue);
      takeOut(copy, isMissing ? path.slice(0, -1) : path);
    }
  }
  return { issues, settings: undefined };
}

function isWrong(issues: readonly Issue[], path: SettingPath): boolean {
  return issues.some((issue) => settingName(issue.path) === settingName(path));
}

/** Of a list all of it, for a part of it would be another list than the one that was meant. */
function takeOut(values: Values, path: SettingPath): void {
  let section = values;
  for (const key of path.slice(0, -1)) {
    const below = asMap(section[key]);
    if (below === undefined) {
      delete section[key];
      return;
    }
    section = below;
  }
  delete section[path.at(-1) ?? ''];
}

function ruleProblems({ settings, issues }: Checked, origins: Origins): ConfigurationProblem[] {
  if (settings === undefined) return [];
  return findBrokenRules(settings)
    .filter(({ paths }) => !paths.some((path) => isWrong(issues, path)))
    .map(({ paths, message }) => {
      const path = paths.find((each) => origins.find(each) !== undefined) ?? paths[0] ?? [];
      return { where: whereText(origins.findNearest(path)), path: '', message };
    });
}

/** The file's problems by line, then the environment's by name, then the flags'; each once. */
function inOrder(problems: readonly ConfigurationProblem[], file: string): ConfigurationProblem[] {
  const unique = new Map(problems.map((problem) => [problemText(problem), problem]));
  return [...unique.values()].sort((one, other) => compare(sortKey(one, file), sortKey(other, file)));
}

function sortKey({ where }: ConfigurationProblem, file: string): readonly (number | string)[] {
  if (where.startsWith('environment ')) return [1, where];
  if (where.startsWith('flag ')) return [2, where];
  return [
    0,
    ...where
      .slice(file.length + 1)
      .split(':')
      .map(Number),
  ];
}

function compare(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  for (const [index, value] of one.entries()) {
    const against = other[index] ?? 0;
    if (value !== against) return value < against ? -1 : 1;
  }
  return 0;
}
