/** The queues and rules that the configuration asks for, in the units of queues and bridge; the first ones if it asks for none. */
import type { BridgeRule } from '../bridge/bridge-rule.js';
import { BODY_ANNOTATION } from '../bridge/sqs/body-form.js';
import { DEFAULT_QUEUE_OPTIONS, type QueueOptions } from '../queues/queue-options.js';
import type { RuleSettings } from './bridge-schema.js';
import type { Settings } from './config-schema.js';
import type { QueueSettings } from './queue-schema.js';
import type { WorkQueueSettings } from './work-queues.js';

const FIRST_QUEUE = 'telemetry';
const FIRST_DEAD_LETTERS = 'telemetry-dlq';

const FIRST_RULE: BridgeRule = {
  name: FIRST_QUEUE,
  topics: ['devices/+/telemetry'],
  queues: [FIRST_QUEUE],
  onFull: 'drop',
};

/** Nobody may ever receive from it: it keeps the newest, and takes little of the disk. */
const FIRST_LIMITS = { maxMessages: 100_000, maxBytes: 256 * 1024 * 1024, overflow: 'drop-oldest' } as const;

export function workQueueSettings({ queues, bridge }: Pick<Settings, 'queues' | 'bridge'>): WorkQueueSettings {
  const configured = new Map(Object.entries(queues).map(([name, settings]) => [name, queueOptions(settings)]));
  if (bridge.rules !== undefined) return { queues: configured, rules: bridge.rules.map(bridgeRule) };
  const first: [string, QueueOptions][] = [
    [FIRST_DEAD_LETTERS, { ...DEFAULT_QUEUE_OPTIONS, ...FIRST_LIMITS }],
    [
      FIRST_QUEUE,
      { ...DEFAULT_QUEUE_OPTIONS, ...FIRST_LIMITS, deadLetter: { queue: FIRST_DEAD_LETTERS, maxReceives: 5 } },
    ],
  ];
  return { queues: new Map([...first, ...configured]), rules: [FIRST_RULE] };
}

function queueOptions(settings: QueueSettings): QueueOptions {
  const { deadLetter, retry, deduplication, autoDelete } = settings;
  return {
    type: settings.type,
    ordering: settings.ordering,
    visibilityTimeoutMs: milliseconds(settings.visibilityTimeout),
    delayMs: milliseconds(settings.delay),
    retentionMs: milliseconds(settings.retention),
    maxMessages: settings.maxMessages,
    maxBytes: settings.maxBytes,
    maxMessageBytes: settings.maxMessageSize,
    maxInFlight: settings.maxInFlight,
    overflow: settings.overflow,
    deadLetter:
      deadLetter.queue === undefined ? null : { queue: deadLetter.queue, maxReceives: deadLetter.maxReceives },
    deadLetterExpired: settings.deadLetterExpired,
    retry:
      retry.delays.length > 0
        ? { delaysMs: retry.delays.map(milliseconds) }
        : { baseMs: milliseconds(retry.base), capMs: milliseconds(retry.cap) },
    deduplication: { by: deduplication.by, windowMs: milliseconds(deduplication.window) },
    maxDeduplicationBytes: deduplication.maxBytes,
    compactBy: settings.compactBy,
    exclusive: settings.exclusive,
    autoDeleteAfterMs: autoDelete === undefined ? null : milliseconds(autoDelete),
    prefetch: settings.prefetch,
    acknowledgementTimeoutMs:
      settings.acknowledgementTimeout === undefined ? null : milliseconds(settings.acknowledgementTimeout),
    receipts: settings.receipts,
    historyMs: milliseconds(settings.history),
    historyMaxBytes: settings.historyMaxBytes,
    annotations: { [BODY_ANNOTATION]: settings.body },
  };
}

function bridgeRule({ delay, ...rule }: RuleSettings): BridgeRule {
  if (delay === undefined) return rule;
  if (typeof delay === 'number') return { ...rule, delay: milliseconds(delay) };
  return { ...rule, delay: { property: delay.property, maximumMs: milliseconds(delay.max) } };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}
