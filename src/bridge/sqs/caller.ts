/** Who makes a request, and what he may do with which queues. */
export const PERMISSIONS = ['receive', 'send', 'manage'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What is allowed with the queues whose names match. */
export interface Grant {
  /** Names of queues; `*` stands for any characters. */
  readonly queues: readonly string[];
  readonly allow: readonly Permission[];
}

interface CompiledGrant {
  readonly pattern: RegExp;
  readonly allow: ReadonlySet<Permission>;
}

export class Caller {
  /** Of the access key; empty for somebody who is not asked who he is. */
  readonly id: string;
  readonly #grants: readonly CompiledGrant[];

  constructor(id: string, grants: readonly Grant[]) {
    this.id = id;
    this.#grants = grants.map(({ queues, allow }) => ({ pattern: patternOf(queues), allow: new Set(allow) }));
  }

  may(permission: Permission, queue: string): boolean {
    return this.#grants.some(({ pattern, allow }) => allow.has(permission) && pattern.test(queue));
  }

  /** Whether the queue concerns him at all. */
  mayKnow(queue: string): boolean {
    return this.#grants.some(({ pattern, allow }) => allow.size > 0 && pattern.test(queue));
  }
}

/** For an endpoint that asks nobody: it is reached from the same machine only. */
export const ANYBODY = new Caller('', [{ queues: ['*'], allow: PERMISSIONS }]);

function patternOf(names: readonly string[]): RegExp {
  const alternatives = names.map((name) =>
    name
      .replaceAll(/\*+/g, '*')
      .split('*')
      .map((part) => part.replaceAll(/[.\\+?^$()[\]{}|]/g, '\\$&'))
      .join('.*'),
  );
  return new RegExp(`^(?:${alternatives.join('|')})$`, 's');
}
