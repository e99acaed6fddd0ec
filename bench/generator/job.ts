/**
 * What main asks of the generator process and what comes back: one Job in, one Outcome out, over the IPC channel.
 * Both are plain data. The generator also reads the broker's usage, because only it knows the exact window.
 */
import type { Protocol, Qos } from './frames.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface BrokerUnderTest {
  readonly address: Address;
  readonly protocol: Protocol;
  /** Without it (an external broker) no CPU time and no memory is measured. */
  readonly brokerPid?: number;
}

export interface LoadJob extends BrokerUnderTest {
  readonly kind: 'load';
  readonly scenario: string;
  readonly qos: Qos;
  readonly payloadBytes: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface IdleJob extends BrokerUnderTest {
  readonly kind: 'idle';
  readonly connections: number;
  readonly settleMs: number;
}

export type Job = LoadJob | IdleJob;

/** Rates and CPU times belong to the measured window; the accounting covers every message from the first to the last. */
export interface LoadResult {
  readonly kind: 'load';
  readonly seconds: number;
  readonly published: number;
  readonly delivered: number;
  readonly brokerCpuMs?: number;
  readonly generatorCpuMs: number;
  readonly peakResidentBytes?: number;
  readonly totalPublished: number;
  readonly totalDelivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Deliveries of something that was never sent, or to a subscriber that did not ask for it. */
  readonly foreign: number;
  /** QoS 1 and 2 exchanges, of publishers or subscribers, that the broker never completed. */
  readonly unfinished: number;
}

export interface IdleResult {
  readonly kind: 'idle';
  readonly connections: number;
  readonly connectSeconds: number;
  readonly connectCpuMs?: number;
  readonly residentBytesBefore?: number;
  readonly residentBytesAfter?: number;
}

export type Outcome = LoadResult | IdleResult | { readonly kind: 'failed'; readonly reason: string };
