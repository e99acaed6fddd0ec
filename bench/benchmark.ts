/**
 * The order of events: for each case (scenario and QoS) as many rounds as asked for, and in each round every peer once,
 * so that whatever disturbs the machine disturbs all of them alike. Every run has a fresh broker and a fresh generator.
 */

import type { BenchOptions } from './bench-options.js';
import { startBroker, withDirectory } from './broker-process.js';
import { isDurable } from './durable/durable-scenarios.js';
import type { Qos } from './generator/frames.js';
import type { Job, Outcome } from './generator/job.js';
import type { Peer } from './peers/peer.js';
import type { Pinning } from './pinning.js';
import { runJob } from './run-job.js';
import { DURABLE_FAN_IN, IDLE, scenarioByName, TOPICS } from './scenarios.js';

/** Descriptors a process needs besides the connections of the run. */
const SPARE_FILE_DESCRIPTORS = 500;

export interface Case {
  readonly scenario: string;
  /** Undefined for idle connections. */
  readonly qos: Qos | undefined;
}

export interface Run extends Case {
  readonly peer: string;
  readonly round: number;
  readonly outcome: Outcome;
}

export function casesOf(options: BenchOptions): readonly Case[] {
  return options.scenarios.flatMap((scenario): Case[] => {
    if (scenario === TOPICS || isDurable(scenario)) return [];
    if (scenario === IDLE) return [{ scenario, qos: undefined }];
    if (scenario === DURABLE_FAN_IN) return [{ scenario, qos: 1 }];
    return options.qos.map((qos) => ({ scenario, qos }));
  });
}

/** Those that can take part in the case. */
export function peersFor(benchCase: Case, peers: readonly Peer[]): readonly Peer[] {
  const { qos } = benchCase;
  return qos === undefined ? peers : peers.filter((peer) => peer.qos.includes(qos));
}

/** @param onRun called after each run */
export async function runCase(
  benchCase: Case,
  peers: readonly Peer[],
  options: BenchOptions,
  pinned: Pinning,
  onRun: (run: Run) => void,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let round = 1; round <= options.runs; round++) {
    for (const peer of peersFor(benchCase, peers)) {
      const outcome = await runOnce(benchCase, peer, options, pinned);
      const run = { ...benchCase, peer: peer.name, round, outcome };
      runs.push(run);
      onRun(run);
    }
  }
  return runs;
}

async function runOnce(benchCase: Case, peer: Peer, options: BenchOptions, pinned: Pinning): Promise<Outcome> {
  const fileDescriptors = connectionsOf(benchCase, options) + SPARE_FILE_DESCRIPTORS;
  try {
    return await withDirectory(options.dataDirectory, async (directory) => {
      const setting = { protocol: options.protocol, fileDescriptors, prefix: pinned.brokerPrefix, directory };
      const broker = await startBroker(peer, setting);
      try {
        const target = {
          address: broker.address,
          protocol: options.protocol,
          ...(broker.pid !== undefined && { brokerPid: broker.pid }),
        };
        return await runJob(jobFor(benchCase, target, options), fileDescriptors, pinned.generatorPrefix);
      } finally {
        await broker.stop();
      }
    });
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

function jobFor(benchCase: Case, target: Pick<Job, 'address' | 'protocol' | 'brokerPid'>, options: BenchOptions): Job {
  if (benchCase.qos === undefined) {
    return { ...target, kind: 'idle', connections: options.connections, settleMs: options.settleMs };
  }
  const scenario = scenarioByName(benchCase.scenario);
  return {
    ...target,
    kind: 'load',
    scenario: scenario.name,
    qos: benchCase.qos,
    payloadBytes: options.payloadBytes,
    windowMessages: options.windowMessages ?? scenario.windowMessages,
    batchMessages: options.batchMessages ?? scenario.batchMessages,
    warmUpMs: options.warmUpMs,
    measuredMs: options.measuredMs,
  };
}

function connectionsOf(benchCase: Case, options: BenchOptions): number {
  if (benchCase.qos === undefined) return options.connections;
  const scenario = scenarioByName(benchCase.scenario);
  return scenario.publishers + scenario.subscribers;
}
