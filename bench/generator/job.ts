/**
 * What main asks of the generator process and what comes back: one Job in, one Outcome out, over the IPC channel.
 * Both are plain data. The generator also reads the broker's usage, because only it knows the exact window.
 */
import type { Garbage } from '../probe/garbage.js';
import type { Protocol, Qos } from './frames.js';
import type { OfflineQueues } from './offline-queues.js';
import type { Transport } from './transport.js';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** TCP, if it is not given. */
  readonly transport?: Transport;
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
  /** In each PUBLISH, if it is MQTT 5. */
  readonly userProperties: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Where the broker's garbage probe writes, if there is one in it. */
  readonly probeFile?: string;
}

export interface IdleJob extends BrokerUnderTest {
  readonly kind: 'idle';
  readonly connections: number;
  readonly settleMs: number;
}

/** Connections come as fast as they are taken, twice. */
export interface StormJob extends BrokerUnderTest {
  readonly kind: 'storm';
  readonly connections: number;
  /** Connects under way at one time. */
  readonly atOnce: number;
}

/** An open loop: devices that send in turn, to one subscriber. */
export interface PacedJob extends BrokerUnderTest {
  readonly kind: 'paced';
  readonly publishers: number;
  /** Of all together. */
  readonly messagesPerSecond: number;
  readonly qos: Qos;
  readonly payloadBytes: number;
  readonly userProperties: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** Retained messages, one for each of so many topics. */
export interface RetainJob extends BrokerUnderTest {
  readonly kind: 'retain';
  readonly messages: number;
  readonly payloadBytes: number;
  readonly longestMs: number;
}

/** Somebody asks for retained messages. */
export interface LookUpJob extends BrokerUnderTest {
  readonly kind: 'look-up';
  /** What there is. */
  readonly messages: number;
  /** A topic each, topics of nobody each, one level with `+`, or everything by `#`. */
  readonly asks: RetainedQuestion;
  readonly longestMs: number;
}

export type RetainedQuestion = 'exact' | 'absent' | 'level' | 'everything';

/** Many subscriptions that the load does not match, and are there while it is measured. */
export interface SubscribeJob extends BrokerUnderTest {
  readonly kind: 'subscribe';
  readonly subscriptions: number;
  readonly settleMs: number;
  readonly load: Omit<LoadJob, 'address' | 'protocol' | 'brokerPid'>;
  readonly longestMs: number;
}

/** Stores the sessions of `queues`, lets them leave, and publishes at QoS 1 what they will find. */
export interface QueueJob extends BrokerUnderTest {
  readonly kind: 'queue';
  readonly queues: OfflineQueues;
  /** Publishers send to the work queue: into a group each, or all into the same. */
  readonly work?: 'own groups' | 'deep group';
  readonly payloadBytes: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  /** Ends with the first of these: so many published, or so much time after the warm-up. */
  readonly totalMessages: number;
  readonly longestMs: number;
}

/** The first `drained` sessions of `queues` come back and take what has waited for them. */
export interface DrainJob extends BrokerUnderTest {
  readonly kind: 'drain';
  readonly queues: OfflineQueues;
  readonly drained: number;
  /** How many messages each publisher has sent. */
  readonly sent: readonly number[];
  readonly longestMs: number;
}

export interface LatencyJob extends BrokerUnderTest {
  readonly kind: 'latency';
  readonly publishers: number;
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** On the disk that the broker writes to. */
  readonly fsyncDirectory: string;
}

export interface StoreSessionsJob extends BrokerUnderTest {
  readonly kind: 'store-sessions';
  readonly sessions: number;
  readonly longestMs: number;
}

export interface CheckSessionsJob extends BrokerUnderTest {
  readonly kind: 'check-sessions';
  readonly sessions: number;
  /** How many of them are looked at. */
  readonly sample: number;
}

/** Publishers fill the work queue while somebody empties it. */
export interface WorkLoad extends BrokerUnderTest {
  readonly publishers: number;
  /** Message groups, evenly over the publishers. */
  readonly groups: number;
  readonly payloadBytes: number;
  readonly windowMessages: number;
  readonly batchMessages: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** Workers over MQTT empty it. */
export interface WorkJob extends WorkLoad {
  readonly kind: 'work';
  readonly workers: number;
  readonly workerProtocol: Protocol;
}

/** The broker sends it to a webhook, which answers at once. */
export interface PushJob extends WorkLoad {
  readonly kind: 'push';
  /** Where the broker has been told to look for it. */
  readonly targetPort: number;
}

/** An open loop into many groups, each message to be with a worker soon. */
export interface WorkLatencyJob extends BrokerUnderTest {
  readonly kind: 'work-latency';
  readonly publishers: number;
  readonly groups: number;
  readonly workers: number;
  /** What a worker takes for a message. */
  readonly workMs: number;
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** One worker takes messages that are there, one after the other. */
export interface TakeJob extends BrokerUnderTest {
  readonly kind: 'take';
  /** Not counted, and then counted. */
  readonly warmUpMessages: number;
  readonly messages: number;
  readonly longestMs: number;
}

/** Workers take everything that waits in the work queue. */
export interface EmptyJob extends BrokerUnderTest {
  readonly kind: 'empty';
  readonly workers: number;
  /** How many messages each publisher has sent. */
  readonly sent: readonly number[];
  readonly longestMs: number;
}

/** With which requests are signed. */
export interface SqsKey {
  readonly id: string;
  readonly secret: string;
}

/** Clients of SQS at work, and MQTT beside them. */
export interface SqsJob extends BrokerUnderTest {
  readonly kind: 'sqs';
  readonly sqsPort: number;
  /** The process that listens there, if it is not the broker. */
  readonly serverPid?: number;
  /** Requests are not signed without one. */
  readonly key?: SqsKey;
  readonly connections: number;
  readonly does: 'fill' | 'drain' | 'ask';
  /** To fill the queue with. */
  readonly messages: number;
  /** MQTT messages from one publisher to one subscriber; 0 for none. */
  readonly messagesPerSecond: number;
  readonly payloadBytes: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export type Job =
  | StormJob
  | PacedJob
  | RetainJob
  | LookUpJob
  | SubscribeJob
  | SqsJob
  | EmptyJob
  | WorkJob
  | PushJob
  | WorkLatencyJob
  | TakeJob
  | LoadJob
  | IdleJob
  | QueueJob
  | DrainJob
  | LatencyJob
  | StoreSessionsJob
  | CheckSessionsJob;

/** Rates and CPU times belong to the measured window; the accounting covers every message from the first to the last. */
export interface LoadResult extends Usage {
  readonly kind: 'load';
  readonly published: number;
  readonly delivered: number;
  /** Completed exchanges of the publishers; 0 at QoS 0. */
  readonly acknowledged: number;
  readonly totalPublished: number;
  readonly totalDelivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Deliveries of something that was never sent, or to a subscriber that did not ask for it. */
  readonly foreign: number;
  /** QoS 1 and 2 exchanges, of publishers or subscribers, that the broker never completed. */
  readonly unfinished: number;
  readonly garbage?: Garbage;
}

export interface IdleResult {
  readonly kind: 'idle';
  readonly connections: number;
  readonly connectSeconds: number;
  readonly connectCpuMs?: number;
  readonly residentBytesBefore?: number;
  readonly residentBytesAfter?: number;
}

/** What a measured window has cost. */
export interface Usage {
  readonly seconds: number;
  readonly brokerCpuMs?: number;
  readonly generatorCpuMs: number;
  /** The highest since the broker started. */
  readonly peakResidentBytes?: number;
}

/** Figures of the second storm. */
export interface StormResult extends Usage {
  readonly kind: 'storm';
  readonly connected: number;
  /** In both. */
  readonly refused: number;
  readonly firstPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface PacedResult extends Usage {
  readonly kind: 'paced';
  /** In the window. */
  readonly delivered: number;
  /** From the moment a message was due to its arrival. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /** How late the generator itself was; it is part of the latencies. */
  readonly lateP99Ms: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
  /** QoS 1 exchanges that the broker never completed. */
  readonly unfinished: number;
}

export interface RetainResult extends Usage {
  readonly kind: 'retain';
  readonly messages: number;
}

export interface LookUpResult extends Usage {
  readonly kind: 'look-up';
  readonly subscribes: number;
  /** Retained messages that came. */
  readonly delivered: number;
  readonly expected: number;
  /** Messages that were not asked for, or were not as they had been published. */
  readonly foreign: number;
}

export interface SubscribeResult extends Usage {
  readonly kind: 'subscribe';
  readonly subscriptions: number;
  readonly residentBytesBefore?: number;
  readonly residentBytesAfter?: number;
  readonly load: LoadResult;
}

export interface QueueResult extends Usage {
  readonly kind: 'queue';
  /** In the measured window, which ends with the last PUBACK. */
  readonly acknowledged: number;
  /** By each publisher, from the first message to the last. */
  readonly sent: readonly number[];
  /** Never acknowledged. */
  readonly unfinished: number;
  /** What waits afterwards, over all sessions. */
  readonly queued: number;
}

export interface DrainResult extends Usage {
  readonly kind: 'drain';
  readonly delivered: number;
  /** Sessions that the broker did not know any more. */
  readonly absentSessions: number;
  readonly lost: number;
  /** Not delivered when the time was over, while deliveries still came. */
  readonly left: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
}

export interface LatencyResult extends Usage {
  readonly kind: 'latency';
  readonly acknowledged: number;
  /** From the moment a message was due to its PUBACK. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /** How late the generator itself was; it is part of the latencies. */
  readonly lateP99Ms: number;
  /** Left out because thousands of their publisher were unanswered. */
  readonly notSent: number;
  readonly unfinished: number;
  readonly fsyncBeforeMs: number;
  readonly fsyncAfterMs: number;
}

export interface StoreSessionsResult extends Usage {
  readonly kind: 'store-sessions';
}

export interface CheckSessionsResult {
  readonly kind: 'check-sessions';
  readonly absent: number;
}

/** What became of all messages, from the first to the last. */
export interface WorkAccounts {
  readonly lost: number;
  readonly duplicated: number;
  /** Within their groups. */
  readonly reordered: number;
  /** What the broker says of the queue when everything is done: messages in it, and such as are in nobody's account. */
  readonly left: number | undefined;
  readonly missing: number | undefined;
}

export interface WorkResult extends Usage, WorkAccounts {
  readonly kind: 'work';
  /** In the measured window: acknowledged to publishers, and acknowledged by workers. */
  readonly acknowledged: number;
  readonly worked: number;
}

export interface PushResult extends Omit<WorkResult, 'kind'> {
  readonly kind: 'push';
  /** Connections that the broker has opened to the webhook. */
  readonly connections: number;
}

export interface WorkLatencyResult extends Usage, WorkAccounts {
  readonly kind: 'work-latency';
  /** From the moment a message was due to its arrival at a worker. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lateP99Ms: number;
  readonly delivered: number;
  /** Messages of nobody's, that were there before. */
  readonly background: number;
}

export interface TakeResult extends Usage {
  readonly kind: 'take';
  readonly taken: number;
  /** From a PUBACK to the next message. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface EmptyResult extends Usage, WorkAccounts {
  readonly kind: 'empty';
  readonly delivered: number;
}

/** In the measured window. */
export interface SqsResult extends Usage {
  readonly kind: 'sqs';
  /** Sent and answered, or received and deleted. */
  readonly messages: number;
  readonly requests: number;
  /** Receives that found nothing. */
  readonly empty: number;
  /** From the moment an MQTT message was due to its arrival; NaN without any. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lateP99Ms: number;
  readonly delivered: number;
}

export type Result =
  | StormResult
  | PacedResult
  | RetainResult
  | LookUpResult
  | SubscribeResult
  | SqsResult
  | EmptyResult
  | WorkResult
  | PushResult
  | WorkLatencyResult
  | TakeResult
  | LoadResult
  | IdleResult
  | QueueResult
  | DrainResult
  | LatencyResult
  | StoreSessionsResult
  | CheckSessionsResult;

export type Outcome = Result | { readonly kind: 'failed'; readonly reason: string };
