/** The access keys of `sqs.accessKeys` with their secrets, read with the configuration. No secret ever appears in a message. */
import type { AccessKey } from '../bridge/sqs/signature-v4.js';
import type { ConfigurationProblem } from './configuration-error.js';
import type { AccessKeySettings } from './sqs-schema.js';
import { readTextFile, UnreadableFile } from './text-file.js';

export interface ReadAccessKeys {
  readonly keys: readonly AccessKey[];
  readonly problems: readonly ConfigurationProblem[];
}

const LARGEST_FILE_BYTES = 4096;
const SHORTEST_SECRET = 8;

/** @param where the keys are configured */
export function readAccessKeys(
  settings: readonly AccessKeySettings[],
  environment: Readonly<Record<string, string | undefined>>,
  where: string,
): ReadAccessKeys {
  const keys: AccessKey[] = [];
  const problems: ConfigurationProblem[] = [];
  for (const [index, key] of settings.entries()) {
    const secret = readSecret(key, environment);
    if (secret instanceof UnreadableFile) {
      const message = `the secret of ${key.id}: ${secret.reason}`;
      problems.push({ where, path: `sqs.accessKeys[${index}]`, message });
    } else keys.push({ id: key.id, secret, grants: key.permissions });
  }
  return { keys, problems };
}

function readSecret(
  { secretFile, secretEnvironment = '' }: AccessKeySettings,
  environment: Readonly<Record<string, string | undefined>>,
): string | UnreadableFile {
  const source = secretFile ?? `the environment variable ${secretEnvironment}`;
  const text = secretFile === undefined ? environment[secretEnvironment] : readTextFile(secretFile, LARGEST_FILE_BYTES);
  if (text instanceof UnreadableFile) return new UnreadableFile(`${source} ${text.reason}`);
  if (text === undefined) return new UnreadableFile(`${source} is not set`);
  const secret = text.split(/\r?\n/, 1)[0]?.trim() ?? '';
  if (secret.length < SHORTEST_SECRET) {
    return new UnreadableFile(`${source} holds no secret of at least ${SHORTEST_SECRET} characters`);
  }
  return secret;
}
