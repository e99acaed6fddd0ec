/** The files that `auth` names, read with the configuration: what is wrong in one is a problem of the configuration. No secret ever appears in a message. */

import { parsePasswordFile } from '../auth/password-file.js';
import type { PasswordHash } from '../auth/password-hash.js';
import { parseCredentialsFile, type ScramUsers } from '../auth/scram-credentials-file.js';
import { keysOfSet, pemKey, secretKey, type TokenKey, UnusableKey } from '../auth/token-key.js';
import { isHeaderName, isHeaderText } from '../bridge/push/header-text.js';
import type { AuthSettings } from './auth-schema.js';
import type { ConfigurationProblem } from './configuration-error.js';
import { type SettingPath, settingName } from './setting-path.js';
import { readTextFile, UnreadableFile } from './text-file.js';

/** Some hundred thousand users. */
export const MAX_USERS_BYTES = 64 * 1024 * 1024;
const MAX_KEYS_BYTES = 1024 * 1024;
const MAX_HEADERS_BYTES = 64 * 1024;

/** A file of another kind has something wrong in every line: the rest is only counted. */
const MAX_PROBLEMS = 20;

/** What one file says. */
export interface FileRead<Value> {
  readonly value: Value;
  readonly problems: readonly ConfigurationProblem[];
}

/** What all of them say. */
export interface AuthFiles {
  /** Undefined if there is no such file; and likewise below. */
  readonly passwords: ReadonlyMap<string, PasswordHash> | undefined;
  readonly scram: ScramUsers | undefined;
  readonly tokenKeys: readonly TokenKey[] | undefined;
  readonly headers: ReadonlyMap<string, string>;
}

export const NO_AUTH_FILES: AuthFiles = {
  passwords: undefined,
  scram: undefined,
  tokenKeys: undefined,
  headers: new Map(),
};

/** Where a setting has its value from. */
export type WhereIs = (path: SettingPath) => string;

export function readAuthFiles(auth: AuthSettings, whereIs: WhereIs): FileRead<AuthFiles> {
  const { passwordFile, scram: scramFile, jwt, http } = auth;
  const passwords = passwordFile === undefined ? undefined : readPasswords(passwordFile, whereIs);
  const scram = scramFile === undefined ? undefined : readScram(scramFile, whereIs);
  const tokenKeys = hasKeyFiles(jwt) ? readTokenKeys(jwt, whereIs) : undefined;
  const headers = http.headersFile === undefined ? undefined : readHeaders(http.headersFile, whereIs);
  return {
    value: {
      passwords: passwords?.value,
      scram: scram?.value,
      tokenKeys: tokenKeys?.value,
      headers: headers?.value ?? new Map(),
    },
    problems: [passwords, scram, tokenKeys, headers].flatMap((read) => read?.problems ?? []),
  };
}

export function readPasswords(file: string, whereIs: WhereIs): FileRead<ReadonlyMap<string, PasswordHash>> {
  return readUsers<ReadonlyMap<string, PasswordHash>>(file, ['auth', 'passwordFile'], whereIs, new Map(), (text) => {
    const { users, problems } = parsePasswordFile(text);
    return { value: users, problems };
  });
}

export function readScram(file: string, whereIs: WhereIs): FileRead<ScramUsers> {
  return readUsers<ScramUsers>(file, ['auth', 'scram'], whereIs, new Map(), (text) => {
    const { users, problems } = parseCredentialsFile(text);
    return { value: users, problems };
  });
}

interface LineProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

function readUsers<Value>(
  file: string,
  path: SettingPath,
  whereIs: WhereIs,
  none: Value,
  parse: (text: string) => { readonly value: Value; readonly problems: readonly LineProblem[] },
): FileRead<Value> {
  const text = readTextFile(file, MAX_USERS_BYTES);
  if (text instanceof UnreadableFile)
    return { value: none, problems: [ofSetting(path, whereIs, `${file}: ${text.reason}`)] };
  const { value, problems } = parse(text);
  const shown = problems.slice(0, MAX_PROBLEMS).map(({ line, column, message, suggestion }) => ({
    where: `${file}:${line}:${column}`,
    path: '',
    message,
    suggestion,
  }));
  const hidden = problems.length - shown.length;
  if (hidden > 0) shown.push({ where: file, path: '', message: `${hidden} problems more`, suggestion: undefined });
  return { value, problems: shown };
}

export function hasKeyFiles({ secretFile, keyFile }: AuthSettings['jwt']): boolean {
  return secretFile !== undefined || keyFile !== undefined;
}

export function readTokenKeys(jwt: AuthSettings['jwt'], whereIs: WhereIs): FileRead<readonly TokenKey[]> {
  const keys: TokenKey[] = [];
  const problems: ConfigurationProblem[] = [];
  const take = (key: string, file: string, found: readonly TokenKey[] | UnusableKey | UnreadableFile): void => {
    if (found instanceof UnreadableFile)
      problems.push(ofSetting(['auth', 'jwt', key], whereIs, `${file}: ${found.reason}`));
    else if (found instanceof UnusableKey) {
      problems.push(
        ofSetting(
          ['auth', 'jwt', key],
          whereIs,
          `${file}: the ${key === 'keyFile' ? 'key' : 'secret'} ${found.reason}`,
        ),
      );
    } else keys.push(...found);
  };
  const { secretFile, secretEncoding, keyFile, algorithms } = jwt;
  if (secretFile !== undefined) take('secretFile', secretFile, secretIn(secretFile, secretEncoding));
  if (keyFile !== undefined) take('keyFile', keyFile, keysIn(keyFile));
  const isOfUse = (key: TokenKey): boolean => key.algorithms.some((name) => algorithms.includes(name));
  if (problems.length === 0 && algorithms.length > 0 && !keys.some(isOfUse)) {
    problems.push(ofSetting(['auth', 'jwt', 'algorithms'], whereIs, 'none of these is one that the keys are for'));
  }
  return { value: keys, problems };
}

function secretIn(file: string, encoding: 'text' | 'base64'): readonly TokenKey[] | UnusableKey | UnreadableFile {
  const text = readTextFile(file, MAX_KEYS_BYTES);
  if (text instanceof UnreadableFile) return text;
  const line = text.replace(/\r?\n$/, '');
  if (encoding === 'base64' && !/^[\w+/-]+=*$/.test(line)) return new UnusableKey('is not base64');
  // Takes both alphabets.
  const key = secretKey(Buffer.from(line, encoding === 'base64' ? 'base64' : 'utf8'));
  return key instanceof UnusableKey ? key : [key];
}

function keysIn(file: string): readonly TokenKey[] | UnusableKey | UnreadableFile {
  const text = readTextFile(file, MAX_KEYS_BYTES);
  if (text instanceof UnreadableFile) return text;
  if (text.trimStart().startsWith('{')) return keysOfSet(text);
  const key = pemKey(text);
  return key instanceof UnusableKey ? key : [key];
}

export function readHeaders(file: string, whereIs: WhereIs): FileRead<ReadonlyMap<string, string>> {
  const headers = new Map<string, string>();
  const text = readTextFile(file, MAX_HEADERS_BYTES);
  if (text instanceof UnreadableFile) {
    return {
      value: headers,
      problems: [ofSetting(['auth', 'http', 'headersFile'], whereIs, `${file}: ${text.reason}`)],
    };
  }
  const problems: ConfigurationProblem[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const message = headers.has(name) ? 'this header is there twice' : headerFault(name, value);
    // The line is not shown: it is most of a secret.
    if (message === undefined) headers.set(name, value);
    else problems.push({ where: `${file}:${index + 1}:1`, path: '', message, suggestion: undefined });
  }
  return { value: headers, problems };
}

/** Those that belong to the request itself. */
const OWN_HEADERS = ['host', 'content-length', 'content-type', 'transfer-encoding', 'connection', 'expect', 'upgrade'];

function headerFault(name: string, value: string): string | undefined {
  if (!isHeaderName(name) || !isHeaderText(value) || value === '')
    return 'expected the name of a header, a colon and a value';
  return OWN_HEADERS.includes(name) ? 'this header is for the broker to set' : undefined;
}

function ofSetting(path: SettingPath, whereIs: WhereIs, message: string): ConfigurationProblem {
  return { where: whereIs(path), path: settingName(path), message, suggestion: undefined };
}
