/** What `sqs-run.ts` is asked to do, and what comes back. */
import type { BrokerUnderTest } from './broker-under-test.js';
import type { Usage } from './usage-window.js';

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
