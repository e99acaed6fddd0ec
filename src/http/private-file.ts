/** Small files in the data directory that belong to the broker's user alone. Whoever reads one finds it whole. */
import { open, rename, rm } from 'node:fs/promises';

const OWNER_ONLY = 0o600;

/** Writes `text` in place of what was there, on the disk when it resolves. @throws what the file system says */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  // Left behind by a process that died; `wx` follows no link and writes into nobody else's file.
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
