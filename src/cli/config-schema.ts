/**
 * The configuration: the single source of its types, defaults, validation, JSON Schema and reference document.
 * Sizes parse to bytes, durations to seconds. The sections `mqtt`, `sessions`, `retained`, `limits` and `sys` map onto
 * BrokerLimits one to one (broker-limits.ts) and take their defaults from there; `storage` maps onto StorageSettings
 * (storage-options.ts), `defence` onto DefenceOptions (defence-options.ts), `queues` and `bridge` onto WorkQueueSettings (work-queue-settings.ts),
 * `sqs` onto SqsEndpointOptions (sqs-settings.ts).
 */
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../broker/broker-options.js';
import { accessSchema } from './access-schema.js';
import { authSchema } from './auth-schema.js';
import { bridgeSchema } from './bridge-schema.js';
import { defenceSchema } from './defence-schema.js';
import { httpSchema } from './http-schema.js';
import { limitsSchema } from './limits-schema.js';
import { listenersSchema } from './listener-schema.js';
import { mqttSchema } from './mqtt-schema.js';
import { pushSchema } from './push-schema.js';
import { queuesSchema } from './queue-schema.js';
import { expected, setting } from './setting.js';
import { sqsSchema } from './sqs-schema.js';
import { storageSchema } from './storage-schema.js';

const notAMap = expected('a map of settings');

const sessionsSchema = z
  .strictObject(
    {
      maxSessions: setting.count({
        description:
          'Sessions at one time, of clients that are connected or away. A client that would need one more, to be kept when it leaves, is refused with reason code 0x97.',
        reason: 'each costs a kilobyte or two, and who makes up client ids could make any number of them',
        default: DEFAULT_LIMITS.maximumSessions,
        min: 1,
        max: 1_000_000_000,
        unit: 'sessions',
      }),
      maxQueuedMessages: setting.count({
        description: 'Messages that may wait for one session.',
        reason: 'more than a day of one message a second',
        default: DEFAULT_LIMITS.queueMaximumMessages,
        min: 1,
        max: 1_000_000_000,
        unit: 'messages',
      }),
      maxQueuedBytes: setting.size({
        description: 'Bytes that the messages waiting for one session may take.',
        reason: 'bounds what one absent client can cost',
        default: DEFAULT_LIMITS.queueMaximumBytes,
        min: 1024,
      }),
      queueOverflow: setting.choice({
        description:
          'What happens to a message for a session whose queue is full: `drop-newest` refuses it, `drop-oldest` makes room for it.',
        reason: 'keeps the start of a sequence of events in order and without gaps',
        words: ['drop-newest', 'drop-oldest'],
        default: DEFAULT_LIMITS.queueOverflow,
      }),
      maxTotalQueuedBytes: setting.size({
        description:
          'Bytes that the messages waiting for all sessions that outlive their connections may take together where they are stored, each message once, however many sessions wait for it. 0 for any number.',
        reason:
          'room for 256 sessions that are full each, and far above what a fleet that comes back needs; set it below the size of a smaller disk, so that sessions which nobody comes back for do not take what work queues and retained messages need',
        default: DEFAULT_LIMITS.queueTotalMaximumBytes,
        min: 0,
      }),
      totalQueueOverflow: setting.choice({
        description:
          'What happens to a message that would have to wait when `maxTotalQueuedBytes` is reached: with `drop-newest` those who would wait do not get it, which is counted as `session-queues-full`, and everybody else does; with `refuse` an MQTT 5 publisher that waits for an answer is told so with reason code 0x97, and nobody gets it; of a publisher that cannot be told it is as with `drop-newest`. `queueOverflow` does not matter here: the oldest message of one session may wait for others, too.',
        reason: 'sessions that nobody comes back for must not keep messages from those who are connected',
        words: ['drop-newest', 'refuse'],
        default: DEFAULT_LIMITS.queueTotalOverflow,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'What is kept for a client that is away.' });

const retainedSchema = z
  .strictObject(
    {
      maxMessages: setting.count({
        description: 'Retained messages, one per topic.',
        reason: 'ten topics each for a hundred thousand devices',
        default: DEFAULT_LIMITS.retainedMaximumMessages,
        min: 1,
        max: 1_000_000_000,
        unit: 'messages',
      }),
      maxBytes: setting.size({
        description: 'Bytes that all retained messages may take together.',
        reason: 'a kilobyte for each of the messages above',
        default: DEFAULT_LIMITS.retainedMaximumBytes,
        min: 1024,
      }),
      overflow: setting.choice({
        description:
          'What happens to a message with RETAIN when those limits are reached: with `refuse` an MQTT 5 publisher that waits for an answer is told so with reason code 0x97, and nobody gets the message; of a publisher that cannot be told it is delivered and not retained; with `drop-oldest` the retained message that was set longest ago makes room for it.',
        reason: 'what is stored stays until somebody decides otherwise, and no topic loses its value in silence',
        words: ['refuse', 'drop-oldest'],
        default: 'refuse',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'How much the retained messages may take.' });

const sysSchema = z
  .strictObject(
    {
      interval: setting.duration({
        description: 'Time between two rounds of `$SYS` topics, in seconds; 0 switches them off.',
        reason: 'as in mosquitto',
        default: DEFAULT_LIMITS.sysIntervalSeconds,
        min: 0,
        max: 86_400,
        wholeSeconds: true,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'What the broker tells about itself in `$SYS` topics.' });

const logSchema = z
  .strictObject(
    {
      level: setting.choice({
        description: 'Least important lines that are written.',
        reason: 'what an operator has to know, and nothing that grows with the traffic',
        words: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
        default: 'info',
      }),
      format: setting.choice({
        description:
          '`json` writes one object a line, `pretty` lines for people, `auto` pretty on a terminal and json elsewhere.',
        reason: 'people read terminals, programs read pipes and files',
        words: ['json', 'pretty', 'auto'],
        default: 'auto',
      }),
      audit: setting.choice({
        description:
          'Lines marked `audit`, whatever `level` is, unless that is `silent`: with `failures` one for each client that is refused (at most 20 a second, and then how many were kept back), each ban and each change over HTTP; with `all` one as well for each client that connects or leaves.',
        reason: 'what somebody will ask for afterwards, and nothing that grows with the fleet',
        words: ['off', 'failures', 'all'],
        default: 'failures',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'What is logged, and how; the log goes to standard output.' });

export const settingsSchema = z
  .strictObject(
    {
      listeners: listenersSchema,
      http: httpSchema,
      auth: authSchema,
      access: accessSchema,
      mqtt: mqttSchema,
      sessions: sessionsSchema,
      retained: retainedSchema,
      queues: queuesSchema,
      bridge: bridgeSchema,
      sqs: sqsSchema,
      push: pushSchema,
      storage: storageSchema,
      limits: limitsSchema,
      defence: defenceSchema,
      sys: sysSchema,
      log: logSchema,
    },
    notAMap,
  )
  .meta({ title: 'Millrace configuration' });

/** The effective configuration: every default filled in, sizes in bytes, durations in seconds. */
export type Settings = z.output<typeof settingsSchema>;
