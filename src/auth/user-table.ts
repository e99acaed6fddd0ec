/**
 * The users of a file, which may be replaced while clients are connected: who was let in by an entry that is gone, or
 * another now, is known by it.
 */
import type { Grounds } from './identity.js';

/** What a user proves. */
export interface Credential {
  /** As it stands in the file: the same text, the same credential. */
  readonly text: string;
}

export class KnownUser<Kind extends Credential> implements Grounds {
  readonly credential: Kind;
  #isWithdrawn = false;

  constructor(credential: Kind) {
    this.credential = credential;
  }

  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  withdraw(): void {
    this.#isWithdrawn = true;
  }
}

/** The users of a file, for those who only look. */
export type UsersInForce<Kind extends Credential> = Pick<UserTable<Kind>, 'version' | 'usernames' | 'find'>;

export class UserTable<Kind extends Credential> {
  #users: ReadonlyMap<string, KnownUser<Kind>> = new Map();
  #version = 0;

  constructor(credentials: ReadonlyMap<string, Kind>) {
    this.replace(credentials);
  }

  get size(): number {
    return this.#users.size;
  }

  /** Another number after each {@link replace}. */
  get version(): number {
    return this.#version;
  }

  usernames(): Iterable<string> {
    return this.#users.keys();
  }

  find(username: string): KnownUser<Kind> | undefined {
    return this.#users.get(username);
  }

  *credentials(): Generator<Kind> {
    for (const { credential } of this.#users.values()) yield credential;
  }

  /** @returns how many users have lost what they were let in by */
  replace(credentials: ReadonlyMap<string, Kind>): number {
    const before = this.#users;
    this.#version++;
    this.#users = new Map(
      [...credentials].map(([username, credential]) => {
        const known = before.get(username);
        return [username, known?.credential.text === credential.text ? known : new KnownUser(credential)];
      }),
    );
    let withdrawn = 0;
    for (const [username, known] of before) {
      if (this.#users.get(username) === known) continue;
      known.withdraw();
      withdrawn++;
    }
    return withdrawn;
  }
}
