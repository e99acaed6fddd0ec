/**
 * What the administration keeps in the data directory, for the command line and other programs of the same user: the token, made once,
 * and the address of the broker that is running. To be called by who has the directory open, and so alone.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isUsableToken } from './bearer-token.js';
import type { BrokerIdentity } from './broker-identity.js';
import { AdminFileUnusable } from './http-errors.js';
import { writePrivateFile } from './private-file.js';

export const TOKEN_FILE = 'admin-token';
export const ADDRESS_FILE = 'admin-address';

const TOKEN_BYTES = 32;

/** The token of the directory; made if there is none. @throws AdminFileUnusable */
export async function ensureAdminToken(directory: string): Promise<string> {
  const path = join(directory, TOKEN_FILE);
  const known = await readKnown(path);
  if (known !== undefined) {
    const token = known.trim();
    if (isUsableToken(token)) return token;
    throw new AdminFileUnusable(`${path} holds no token: remove it, and the next start makes a new one`);
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  await write(path, token);
  return token;
}

/**
 * Says where the broker of the directory can be reached, and by what it is known: two lines.
 * @throws AdminFileUnusable
 */
export async function writeAdminAddress(directory: string, url: string, { secret }: BrokerIdentity): Promise<void> {
  await write(join(directory, ADDRESS_FILE), `${url}\n${secret}`);
}

/** The broker can be reached no more; never fails. */
export async function removeAdminAddress(directory: string): Promise<void> {
  // What stays behind, as after a kill, names an address where nobody can prove to be this broker.
  await rm(join(directory, ADDRESS_FILE), { force: true }).catch(() => {});
}

async function readKnown(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AdminFileUnusable(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

async function write(path: string, lines: string): Promise<void> {
  try {
    await writePrivateFile(path, `${lines}\n`);
  } catch (cause) {
    throw new AdminFileUnusable(`${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
