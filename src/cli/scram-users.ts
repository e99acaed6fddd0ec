/** The users of `auth.scram`, read with the configuration: what is wrong in that file is a problem of the configuration. */
import type { ScramCredential } from '../auth/scram-credential.js';
import { parseCredentialsFile } from '../auth/scram-credentials-file.js';
import type { ConfigurationProblem } from './configuration-error.js';
import { readTextFile, UnreadableFile } from './text-file.js';

/** Some hundred thousand users. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** A file of another kind has something wrong in every line: the rest is only counted. */
const MAX_PROBLEMS = 20;

export interface ScramUsersRead {
  readonly users: ReadonlyMap<string, ScramCredential>;
  readonly problems: readonly ConfigurationProblem[];
}

/**
 * @param file path as it was configured
 * @param where the setting has it from
 */
export function readScramUsers(file: string, where: string): ScramUsersRead {
  const text = readTextFile(file, MAX_FILE_BYTES);
  if (text instanceof UnreadableFile) {
    return { users: new Map(), problems: [{ where, path: 'auth.scram', message: `${file}: ${text.reason}` }] };
  }
  const { users, problems } = parseCredentialsFile(text);
  const shown = problems.slice(0, MAX_PROBLEMS).map(({ line, column, message, suggestion }) => ({
    where: `${file}:${line}:${column}`,
    path: '',
    message,
    suggestion,
  }));
  const hidden = problems.length - shown.length;
  if (hidden > 0) shown.push({ where: file, path: '', message: `${hidden} problems more`, suggestion: undefined });
  return { users, problems: shown };
}
