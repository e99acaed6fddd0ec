/** The files of the section `access`, read with the configuration and again when they change. */
import { AccessRules } from '../auth/access/access-rules.js';
import { AclFile } from '../auth/access/acl-file.js';
import { RoleBook } from '../auth/access/role-book.js';
import type { BookPath, BookProblem } from '../auth/access/role-book-reader.js';
import type { AccessSettings } from './access-schema.js';
import { type Position, parseConfigText } from './config-file.js';
import type { ConfigurationProblem } from './configuration-error.js';
import type { SettingPath } from './setting-path.js';
import { settingName } from './setting-path.js';
import { closestName } from './suggestion.js';
import { readTextFile, UnreadableFile } from './text-file.js';

/** Some hundred thousand rules. */
export const MAX_RULES_BYTES = 16 * 1024 * 1024;

/** A file of another kind has something wrong in every line: the rest is only counted. */
const MAX_PROBLEMS = 20;

export interface AccessRulesRead {
  /** Undefined if no file is set, or one has a problem. */
  readonly rules: AccessRules | undefined;
  readonly problems: readonly ConfigurationProblem[];
  /** Equal as long as nothing has changed. */
  readonly fingerprint: string;
}

/**
 * @param whereIs where a setting has its value from
 * @param newRoles what the file of roles is to say, in the place of what it does
 */
export function readAccessRules(
  { aclFile, rolesFile }: Pick<AccessSettings, 'aclFile' | 'rolesFile'>,
  whereIs: (path: SettingPath) => string,
  newRoles?: string,
): AccessRulesRead {
  const problems: ConfigurationProblem[] = [];
  const texts: string[] = [];
  const read = (file: string | undefined, setting: 'aclFile' | 'rolesFile'): string | undefined => {
    if (file === undefined) return undefined;
    const given = setting === 'rolesFile' ? newRoles : undefined;
    const text = given ?? readTextFile(file, MAX_RULES_BYTES);
    texts.push(markOf(text));
    if (!(text instanceof UnreadableFile)) return text;
    const path = ['access', setting];
    problems.push({ where: whereIs(path), path: settingName(path), message: `${file}: ${text.reason}` });
    return undefined;
  };
  const aclText = read(aclFile, 'aclFile');
  const rolesText = read(rolesFile, 'rolesFile');
  const acl = aclFile === undefined || aclText === undefined ? null : readAcl(aclFile, aclText, problems);
  const roles = rolesFile === undefined || rolesText === undefined ? null : readRoles(rolesFile, rolesText, problems);
  const isUsable = problems.length === 0 && (acl !== null || roles !== null);
  const fingerprint = JSON.stringify(texts);
  return { rules: isUsable ? new AccessRules(acl, roles) : undefined, problems, fingerprint };
}

/** What {@link AccessRulesRead.fingerprint} would be, without taking the files apart. */
export function accessFingerprint({ aclFile, rolesFile }: Pick<AccessSettings, 'aclFile' | 'rolesFile'>): string {
  const files = [aclFile, rolesFile].flatMap((file) => file ?? []);
  return JSON.stringify(files.map((file) => markOf(readTextFile(file, MAX_RULES_BYTES))));
}

function markOf(text: string | UnreadableFile): string {
  return text instanceof UnreadableFile ? `- ${text.reason}` : `+ ${text}`;
}

function readAcl(name: string, text: string, problems: ConfigurationProblem[]): AclFile {
  const { file, problems: found } = AclFile.parse(name, text);
  addProblems(
    name,
    found.map(({ line, column, message, word, candidates }) => ({
      where: `${name}:${line}:${column}`,
      path: '',
      message,
      suggestion: suggestionFor(word, candidates),
    })),
    problems,
  );
  return file;
}

function readRoles(name: string, text: string, problems: ConfigurationProblem[]): RoleBook {
  const { values, positions, problems: ofYaml } = parseConfigText(name, text);
  const nearest = (path: BookPath, isAboutKey: boolean): Position | undefined => {
    for (let length = path.length; length > 0; length--) {
      const found = positions.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return isAboutKey ? found.key : found.value;
    }
    return undefined;
  };
  const whereIs = (path: BookPath, isAboutKey = false): string => {
    const position = nearest(path, isAboutKey);
    return position === undefined ? name : `${name}:${position.line}:${position.column}`;
  };
  const { book, problems: ofBook } = RoleBook.read(values, (path) => whereIs(path));
  const toProblem = ({ path, isAboutKey, message, word, candidates }: BookProblem): ConfigurationProblem => ({
    where: whereIs(path, isAboutKey),
    path: settingName(path),
    message,
    suggestion: suggestionFor(word, candidates),
  });
  addProblems(name, ofYaml.length > 0 ? ofYaml : ofBook.map(toProblem), problems);
  return book;
}

function addProblems(name: string, found: readonly ConfigurationProblem[], problems: ConfigurationProblem[]): void {
  problems.push(...found.slice(0, MAX_PROBLEMS));
  const hidden = found.length - MAX_PROBLEMS;
  if (hidden > 0) problems.push({ where: name, path: '', message: `${hidden} problems more` });
}

function suggestionFor(word: string | undefined, candidates: readonly string[] | undefined): string | undefined {
  return word === undefined ? undefined : closestName(word, candidates ?? []);
}
