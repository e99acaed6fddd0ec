/** Finds the running broker that a command is meant for, and its token: by the configuration, or as it was told. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ADDRESS_FILE, TOKEN_FILE } from '../http/admin-files.js';
import { isUsableToken } from '../http/bearer-token.js';
import { BrokerIdentity } from '../http/broker-identity.js';
import { type AdminAccess, AdminCallFailed } from './admin-client.js';
import type { Settings } from './config-schema.js';
import { storageSettings, usesDirectory } from './storage-options.js';
import { readGivenText, UnreadableFile } from './text-file.js';

const MAX_FILE_BYTES = 4096;

/**
 * @param url as typed
 * @param tokenFile path as typed
 * @throws AdminCallFailed
 */
export function findAdmin(settings: Settings, url: string | undefined, tokenFile: string | undefined): AdminAccess {
  const address = url === undefined ? knownAddress(settings) : { url: parseAddress(url), identity: null };
  return { ...address, token: findToken(settings, tokenFile) };
}

function knownAddress(settings: Settings): Omit<AdminAccess, 'token'> {
  const storage = storageSettings(settings);
  const { host, port } = settings.http;
  if (!usesDirectory(storage)) {
    if (port !== 0) return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, identity: null };
    throw new AdminCallFailed('the port of the broker is not known, since http.port is 0: say where it is with --url');
  }
  const path = join(storage.directory, ADDRESS_FILE);
  if (!existsSync(path)) {
    throw new AdminCallFailed(
      `no broker is running with the data directory ${storage.directory}: there is no ${path}. Start one, or name another directory with --data, or an address with --url`,
    );
  }
  const [line = '', secret = ''] = readText(path).split('\n');
  if (secret === '') throw new AdminCallFailed(`${path} is not whole: stop the broker, and start it anew`);
  return { url: parseAddress(line), identity: new BrokerIdentity(secret) };
}

function parseAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '';
  if (isPlain) return url.href.replace(/\/$/, '');
  throw new AdminCallFailed(`${JSON.stringify(text)} is no address such as http://127.0.0.1:8080`);
}

function findToken(settings: Settings, tokenFile: string | undefined): string {
  const { adminToken } = settings.http;
  if (tokenFile === undefined && adminToken !== undefined) return adminToken;
  const storage = storageSettings(settings);
  if (tokenFile === undefined && !usesDirectory(storage)) {
    throw new AdminCallFailed('there is no token: set http.adminToken for the broker and for this command');
  }
  const path = tokenFile ?? join(storage.directory, TOKEN_FILE);
  const token = readText(path);
  if (isUsableToken(token)) return token;
  throw new AdminCallFailed(`${path} holds no token`);
}

/** Without blanks around it. */
function readText(path: string): string {
  const text = readGivenText(path, MAX_FILE_BYTES);
  if (text instanceof UnreadableFile) throw new AdminCallFailed(`${path}: ${text.reason}`);
  return text.trim();
}
