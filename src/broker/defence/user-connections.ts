/** How many connections each user has; nobody counts unless there is a limit. */

export class UserConnections {
  readonly #maximum: number;
  readonly #open = new Map<string, number>();

  /** @param maximum for one user; 0 for any number */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** @param isReplacing the new connection takes the place of one of the same user */
  hasRoom(user: string | null, isReplacing: boolean): boolean {
    if (this.#maximum === 0 || user === null || isReplacing) return true;
    return (this.#open.get(user) ?? 0) < this.#maximum;
  }

  enter(user: string | null): void {
    if (this.#maximum === 0 || user === null) return;
    this.#open.set(user, (this.#open.get(user) ?? 0) + 1);
  }

  leave(user: string | null): void {
    if (this.#maximum === 0 || user === null) return;
    const left = (this.#open.get(user) ?? 0) - 1;
    if (left > 0) this.#open.set(user, left);
    else this.#open.delete(user);
  }
}
