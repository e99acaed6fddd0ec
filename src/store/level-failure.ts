/** What an error of LevelDB means. classic-level has codes for some; the rest stands in LevelDB's English. */

/**
 * Whether the files are not what LevelDB wrote: cut off, changed or missing. Not if the disk cannot be read, which no
 * repair mends. Also true of what is met later, when something damaged is read for the first time.
 */
export function isDamage(error: unknown): boolean {
  return chainOf(error).some(({ code, message }) => {
    if (code === 'LEVEL_CORRUPTION') return true;
    // A file that the database knows of is gone, or is shorter than it was.
    if (code === 'LEVEL_IO_ERROR') return /: (No such file or directory|Invalid argument)$/.test(message);
    return /does not exist \(create_if_missing is false\)/.test(message);
  });
}

/** Whether another process, or this one, has the database open. */
export function isLocked(error: unknown): boolean {
  return chainOf(error).some(({ code }) => code === 'LEVEL_LOCKED');
}

/** The innermost message: the outer ones say no more than that it failed. */
export function reasonOf(error: unknown): string {
  return chainOf(error).at(-1)?.message ?? String(error);
}

interface Failure {
  readonly code: unknown;
  readonly message: string;
}

function chainOf(error: unknown): Failure[] {
  const chain: Failure[] = [];
  for (let link = error; link instanceof Error; link = link.cause) {
    chain.push({ code: 'code' in link ? link.code : undefined, message: link.message });
  }
  return chain;
}
