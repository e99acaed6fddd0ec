/**
 * Which core each process runs on. The broker has one core for itself and the generator another; otherwise the
 * scheduler moves them about and a run says as much about that as about the broker.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const BROKER_CORE = 0;
const GENERATOR_CORE = 1;

export interface Pinning {
  readonly active: boolean;
  readonly description: string;
  /** What to put before the command. */
  readonly brokerPrefix: readonly string[];
  readonly generatorPrefix: readonly string[];
}

/** @param wanted false to leave it to the scheduler */
export function pinning(wanted: boolean): Pinning {
  if (!wanted) return unpinned('not pinned, as asked');
  if (availableParallelism() < 2) return unpinned('not pinned: one core only');
  if (spawnSync('taskset', ['--version']).status !== 0) return unpinned('not pinned: no taskset');
  return {
    active: true,
    description: `broker on core ${BROKER_CORE}, generator on core ${GENERATOR_CORE}`,
    brokerPrefix: ['taskset', '-c', String(BROKER_CORE)],
    generatorPrefix: ['taskset', '-c', String(GENERATOR_CORE)],
  };
}

function unpinned(description: string): Pinning {
  return { active: false, description, brokerPrefix: [], generatorPrefix: [] };
}
