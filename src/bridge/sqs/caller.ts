/** Who makes a request, and what he may do with which queues. */
import { NamePattern } from '../../core/name-pattern.js';

export const PERMISSIONS = ['receive', 'send', 'manage'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What is allowed with the queues whose names match. */
export interface Grant {
  /** Names of queues; `*` stands for any characters. */
  readonly queues: readonly string[];
  readonly allow: readonly Permission[];
}

interface CompiledGrant {
  readonly patterns: readonly NamePattern[];
  readonly allow: ReadonlySet<Permission>;
}

export class Caller {
  /** Of the access key; empty for somebody who is not asked who he is. */
  readonly id: string;
  readonly #grants: readonly CompiledGrant[];

  constructor(id: string, grants: readonly Grant[]) {
    this.id = id;
    this.#grants = grants.map(({ queues, allow }) => ({
      patterns: queues.map((name) => new NamePattern(name)),
      allow: new Set(allow),
    }));
  }

  may(permission: Permission, queue: string): boolean {
    return this.#grants.some(({ patterns, allow }) => allow.has(permission) && isNamed(patterns, queue));
  }

  /** Whether the queue concerns him at all. */
  mayKnow(queue: string): boolean {
    return this.#grants.some(({ patterns, allow }) => allow.size > 0 && isNamed(patterns, queue));
  }
}

/** For an endpoint that asks nobody: it is reached from the same machine only. */
export const ANYBODY = new Caller('', [{ queues: ['*'], allow: PERMISSIONS }]);

function isNamed(patterns: readonly NamePattern[], queue: string): boolean {
  return patterns.some((pattern) => pattern.matches(queue));
}
