/** The optional package that computes argon2: Node itself cannot before version 24. */
import { createRequire } from 'node:module';
import type * as Argon2 from '@node-rs/argon2';

export type Argon2Library = Pick<typeof Argon2, 'hash'>;

const NAME = '@node-rs/argon2';

const require = createRequire(import.meta.url);

let library: Argon2Library | null | undefined;

/** @returns null if it is not installed, or not for this machine */
export function argon2Library(): Argon2Library | null {
  library ??= load() ?? null;
  return library;
}

function load(): Argon2Library | undefined {
  try {
    return require(NAME) as Argon2Library;
  } catch {
    return undefined;
  }
}

/** For a thread that loads it by itself. @throws if it is not installed */
export function argon2Path(): string {
  return require.resolve(NAME);
}
