/** The webhooks that the configuration asks for, with what stands in the files that it names: what is wrong there is a problem of the configuration. */
import { createSecureContext } from 'node:tls';
import type { PushTarget } from '../bridge/push/push-target.js';
import { parseWebhookSecret } from '../bridge/push/webhook-signature.js';
import type { Settings } from './config-schema.js';
import type { ConfigurationProblem } from './configuration-error.js';
import { type QueuePushSettings, WANTED_SECRET } from './push-schema.js';
import { type SettingPath, settingName } from './setting-path.js';
import { readTextFile, UnreadableFile } from './text-file.js';

const MOST_SECRETS_BYTES = 64 * 1024;
const MOST_CERTIFICATES_BYTES = 1024 * 1024;
const MOST_SECRETS = 10;

export interface PushTargetsRead {
  /** By name of the queue. */
  readonly targets: ReadonlyMap<string, PushTarget>;
  readonly problems: readonly ConfigurationProblem[];
}

/** @param whereIs where a setting has its value from */
export function readPushTargets(
  { queues }: Pick<Settings, 'queues'>,
  whereIs: (path: SettingPath) => string,
): PushTargetsRead {
  const targets = new Map<string, PushTarget>();
  const problems: ConfigurationProblem[] = [];
  for (const [name, { push }] of Object.entries(queues)) {
    if (push.url === undefined) continue;
    const path = ['queues', name, 'push'];
    const refuse = (key: string, where: string | undefined, message: string): void => {
      const setting = [...path, key];
      problems.push({ where: where ?? whereIs(setting), path: settingName(setting), message, suggestion: undefined });
    };
    const secrets = [...push.secrets.map(secretOf), ...readSecrets(push.secretsFile, refuse)];
    if (secrets.length > MOST_SECRETS) refuse('secretsFile', undefined, `there are more than ${MOST_SECRETS} secrets`);
    targets.set(name, targetOf(push.url, push, secrets, readCertificates(push.ca, refuse)));
  }
  return { targets, problems };
}

type Refuse = (key: string, where: string | undefined, message: string) => void;

function readSecrets(file: string | undefined, refuse: Refuse): Buffer[] {
  if (file === undefined) return [];
  const text = readTextFile(file, MOST_SECRETS_BYTES);
  if (text instanceof UnreadableFile) {
    refuse('secretsFile', undefined, `${file}: ${text.reason}`);
    return [];
  }
  const secrets: Buffer[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const secret = parseWebhookSecret(trimmed);
    // The line is not shown: it is most of a secret.
    if (secret === null) refuse('secretsFile', `${file}:${index + 1}:1`, `expected a secret: ${WANTED_SECRET}`);
    else secrets.push(secret);
  }
  if (secrets.length === 0) refuse('secretsFile', undefined, `${file}: there is no secret in it`);
  return secrets;
}

function readCertificates(file: string | undefined, refuse: Refuse): string | null {
  if (file === undefined) return null;
  const text = readTextFile(file, MOST_CERTIFICATES_BYTES);
  if (text instanceof UnreadableFile) refuse('ca', undefined, `${file}: ${text.reason}`);
  else if (!isCertificates(text)) refuse('ca', undefined, `${file}: there is no certificate in it, as PEM`);
  else return text;
  return null;
}

function isCertificates(text: string): boolean {
  try {
    createSecureContext({ ca: text });
    return text.includes('-----BEGIN CERTIFICATE-----');
  } catch {
    return false;
  }
}

function targetOf(
  url: string,
  push: QueuePushSettings,
  secrets: readonly Buffer[],
  certificateAuthorities: string | null,
): PushTarget {
  const { failures, firstWait, longestWait } = push.breaker;
  return {
    url,
    format: push.format,
    secrets,
    headers: new Map(Object.entries(push.headers).map(([name, value]) => [name.toLowerCase(), value])),
    certificateAuthorities,
    timeoutMs: milliseconds(push.timeout),
    concurrency: push.concurrency,
    batch: push.batch.maxMessages === 1 ? null : push.batch,
    longestPauseMs: milliseconds(push.maxRetryAfter),
    breaker: { failures, firstWaitMs: milliseconds(firstWait), longestWaitMs: milliseconds(longestWait) },
  };
}

function secretOf(text: string): Buffer {
  return parseWebhookSecret(text) ?? Buffer.alloc(0);
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}
