/** The `bridge` section: which messages go into which work queues. Its rules reach the bridge as BridgeRule (work-queue-settings.ts). */
import { z } from 'zod';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import { expected, setting } from './setting.js';

/** More levels than fit into a filter. */
const ANY_LEVELS = 65_536;
const LONGEST_DELAY_SECONDS = 366 * 86_400;

const notAMap = expected('a map of settings');

const wantedFilter = expected('a topic filter such as devices/+/telemetry, not a shared one');
const filter = z.string(wantedFilter).superRefine((text, context) => {
  const parsed = parseTopicFilter(text, ANY_LEVELS);
  if (!(parsed instanceof InvalidFilter) && parsed.shareName === undefined) return;
  const reason = parsed instanceof InvalidFilter ? `: ${parsed.reason}` : '';
  context.addIssue({ code: 'custom', message: `${wantedFilter.error({ input: text })}${reason}`, input: text });
});

const wantedName = expected('a name');
const name = z.string(wantedName).min(1, wantedName).max(128, wantedName);

const scalar = z.union(
  [z.string(), z.number(), z.boolean(), z.null()],
  expected('a text, a number, true, false or null'),
);
const number = z.number(expected('a number'));

const condition = z
  .strictObject(
    {
      property: name.optional(),
      json: name.optional(),
      exists: z.boolean(expected('true or false')).optional(),
      equals: scalar.optional(),
      not: scalar.optional(),
      in: z.array(scalar, expected('a list of values')).min(1).max(1000).optional(),
      prefix: z.string(expected('a text')).optional(),
      greaterThan: number.optional(),
      atLeast: number.optional(),
      lessThan: number.optional(),
      atMost: number.optional(),
    },
    expected('a condition, such as {json: reading.celsius, greaterThan: 80}'),
  )
  .superRefine((given, context) => {
    const { property, json, ...asked } = given;
    if ((property === undefined) === (json === undefined)) {
      context.addIssue({ code: 'custom', message: 'expected either property or json', input: given });
    } else if (Object.values(asked).every((value) => value === undefined)) {
      const message = `expected what must be true of it: one of ${Object.keys(condition.shape).slice(2).join(', ')}`;
      context.addIssue({ code: 'custom', message, input: given });
    }
  });

const wantedSource = expected('clientId, topic, or one of {topicLevel: N}, {property: NAME}, {json: PATH}');
const source = z.union(
  [
    z.enum(['clientId', 'topic']),
    z.strictObject({ topicLevel: z.int().min(1).max(ANY_LEVELS) }),
    z.strictObject({ property: name }),
    z.strictObject({ json: name }),
  ],
  wantedSource,
);

const wantedDelay = expected('a duration, or {property: NAME, max: DURATION}');
const seconds = setting.durationValue({ min: 0, max: LONGEST_DELAY_SECONDS });

const wantedPriority = expected('a whole number from 0 to 9, or where to take it from');

function oneOrMany<Item extends z.ZodType>(item: Item, what: string) {
  return z
    .union([item, z.array(item).min(1).max(1000)], expected(what))
    .transform((given) => [given].flat() as z.output<Item>[]);
}

const rule = z.strictObject(
  {
    name: name.meta({ description: 'Under which it appears in logs; each name once.', 'x-unit': '' }),
    topics: oneOrMany(filter, 'a topic filter, or a list of topic filters').meta({
      description: 'Topic filters, one or a list. A topic that begins with `$` is matched only by a filter that does.',
      'x-unit': '',
    }),
    queues: oneOrMany(name, 'the name of a queue, or a list of names').meta({
      description: 'Queues of this configuration, one or a list: each gets the message, which is stored once.',
      'x-unit': '',
    }),
    where: z.array(condition, expected('a list of conditions')).max(100).default([]).meta({
      description:
        'Conditions that must all hold: each names a user property (`property`) or a field of a JSON payload (`json`, keys with dots between) and what must be true of it: `equals`, `not`, `in`, `prefix`, `exists`, `greaterThan`, `atLeast`, `lessThan`, `atMost`. What is not there satisfies `exists: false` alone; a payload that is no JSON, or larger than 256 KiB, satisfies nothing. Unset: every message.',
      'x-unit': '',
    }),
    group: source.optional().meta({
      description:
        'Message group: `clientId`, `topic`, `{topicLevel: N}` from 1, `{property: NAME}` or `{json: PATH}`. Unset: no group.',
      'x-unit': '',
    }),
    deduplicationId: source.optional().meta({
      description: 'Deduplication id, taken as `group` is; for queues that deduplicate by id. Unset: none.',
      'x-unit': '',
    }),
    key: source.optional().meta({
      description: 'Key by which a message can be found, taken as `group` is. Unset: none.',
      'x-unit': '',
    }),
    priority: z
      .union([z.int(wantedPriority).min(0, wantedPriority).max(9, wantedPriority), source], wantedPriority)
      .optional()
      .meta({ description: 'From 0 to 9, higher first; a number, or taken as `group` is. Unset: 0.', 'x-unit': '' }),
    delay: z
      .union([seconds, z.strictObject({ property: name, max: seconds })], wantedDelay)
      .optional()
      .meta({
        description:
          'How long the message waits before it may be received: a duration, or `{property: NAME, max: DURATION}` for a user property that holds seconds. Unset: the delay of the queue.',
        'x-unit': '',
      }),
    attributes: z
      .record(z.string(), z.string(expected('a text')), expected('a map of texts'))
      .optional()
      .meta({ description: 'Attributes that the message gets, by name. Unset: none.', 'x-unit': '' }),
    onFull: z.enum(['refuse', 'drop'], expected('one of refuse, drop')).default('refuse').meta({
      description:
        'What happens when a queue takes no more: with `refuse` nobody gets the message, an MQTT 5 publisher is told so with reason code 0x97 and an MQTT 3 publisher waits; with `drop` everybody else gets it. A message of QoS 0 is always dropped. Unset: `refuse`.',
      'x-unit': '',
    }),
  },
  expected('a rule, such as {name: readings, topics: devices/+/telemetry, queues: readings}'),
);

export type RuleSettings = z.output<typeof rule>;

export const bridgeSchema = z
  .strictObject(
    {
      rules: z.array(rule, expected('a list of rules')).max(10_000).optional().meta({
        description:
          'Which messages go into which queues. A queue gets a message once, from the first rule that concerns it. Default: unset, which takes `devices/+/telemetry` into the queue `telemetry`, so that a first try has a queue; `[]` takes nothing.',
        'x-unit': '',
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Takes what is published into work queues.' });
