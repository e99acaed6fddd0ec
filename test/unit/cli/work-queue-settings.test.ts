import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/cli/config-loader.js';
import { settingsSchema } from '../../../src/cli/config-schema.js';
import { ConfigurationError } from '../../../src/cli/configuration-error.js';
import { workQueueSettings } from '../../../src/cli/work-queue-settings.js';
import { DEFAULT_QUEUE_OPTIONS, validateQueueOptions } from '../../../src/queues/queue-options.js';
import { createTemporaryDirectory } from '../../support/temporary-directory.js';

/** The problems of a file with this text, without its directory. */
async function problemsOf(text: string): Promise<string[]> {
  const directory = await createTemporaryDirectory();
  const file = join(directory, 'c.yaml');
  await writeFile(file, text);
  try {
    loadConfiguration({ file, environment: {}, flags: new Map() });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message.split('\n').map((line) => line.replace(`${directory}/`, ''));
  }
}

describe('without configuration', () => {
  test('there is a first queue with dead letters, which fills no disk, and a rule that refuses nobody', () => {
    const { queues, rules } = workQueueSettings(settingsSchema.parse({}));
    expect(rules).toEqual([
      { name: 'telemetry', topics: ['devices/+/telemetry'], queues: ['telemetry'], onFull: 'drop' },
    ]);
    expect(queues.get('telemetry')).toMatchObject({
      overflow: 'drop-oldest',
      deadLetter: { queue: 'telemetry-dlq', maxReceives: 5 },
    });
    expect(queues.get('telemetry-dlq')).toMatchObject({ overflow: 'drop-oldest', deadLetter: null });
    for (const options of queues.values()) expect(validateQueueOptions(options)).toEqual(options);
  });

  test('an empty list of rules switches them off', () => {
    const { queues, rules } = workQueueSettings(settingsSchema.parse({ bridge: { rules: [] } }));
    expect([queues.size, rules.length]).toEqual([0, 0]);
  });
});

describe('a configured queue', () => {
  test('has the defaults of queues', () => {
    const { queues } = workQueueSettings(settingsSchema.parse({ queues: { q: {} }, bridge: { rules: [] } }));
    expect(queues.get('q')).toEqual({ ...DEFAULT_QUEUE_OPTIONS, annotations: { body: 'auto' } });
  });

  test('has what is set, in the units of queues', () => {
    const settings = settingsSchema.parse({
      queues: {
        dead: {},
        q: {
          type: 'fifo',
          visibilityTimeout: '2m',
          maxBytes: '1GiB',
          maxMessageSize: '64KiB',
          deadLetter: { queue: 'dead', maxReceives: 3 },
          retry: { delays: ['1s', '200ms', 60] },
          deduplication: { by: 'content', window: '1h' },
          autoDelete: '10m',
        },
      },
    });
    expect(workQueueSettings(settings).queues.get('q')).toMatchObject({
      type: 'fifo',
      visibilityTimeoutMs: 120_000,
      maxBytes: 2 ** 30,
      maxMessageBytes: 65_536,
      deadLetter: { queue: 'dead', maxReceives: 3 },
      retry: { delaysMs: [1000, 200, 60_000] },
      deduplication: { by: 'content', windowMs: 3_600_000 },
      autoDeleteAfterMs: 600_000,
    });
  });
});

test('a configured rule reaches the bridge, one name or a list', () => {
  const settings = settingsSchema.parse({
    queues: { q: {} },
    bridge: {
      rules: [
        {
          name: 'alarms',
          topics: 'sites/+/alarm',
          queues: 'q',
          where: [{ json: 'level', atLeast: 3 }],
          group: { topicLevel: 2 },
          delay: { property: 'delay', max: '1m' },
        },
        { name: 'all', topics: ['#', '$SYS/#'], queues: ['q'], delay: '5s', onFull: 'drop' },
      ],
    },
  });
  expect(workQueueSettings(settings).rules).toMatchObject([
    {
      name: 'alarms',
      topics: ['sites/+/alarm'],
      queues: ['q'],
      where: [{ json: 'level', atLeast: 3 }],
      group: { topicLevel: 2 },
      delay: { property: 'delay', maximumMs: 60_000 },
      onFull: 'refuse',
    },
    { topics: ['#', '$SYS/#'], delay: 5000, onFull: 'drop' },
  ]);
});

describe('is refused, with its place:', () => {
  test.each([
    [
      'queues:\n  q:\n    visibilityTimout: 1s\n',
      'c.yaml:3:5: queues.q.visibilityTimout: unknown setting - did you mean "visibilityTimeout"?',
    ],
    ['queues:\n  "a/b": {}\n', 'c.yaml:2:3: queues.a/b: the name of a queue is up to 80 letters'],
    [
      'queues:\n  q:\n    deadLetter:\n      queue: dead\n',
      'c.yaml:4:14: queues.q.deadLetter.queue: there is no queue "dead" in queues',
    ],
    [
      'queues:\n  a: {deadLetter: {queue: b}}\n  b: {deadLetter: {queue: a}}\n',
      'c.yaml:2:27: dead letters go round in a circle: a -> b -> a',
    ],
    [
      'queues:\n  q: {overflow: dead-letter-oldest}\n',
      'c.yaml:2:17: queues.q.overflow cannot be dead-letter-oldest without',
    ],
    [
      'queues:\n  readings: {}\nbridge:\n  rules:\n    - name: r\n      topics: t\n      queues: reading\n',
      'c.yaml:7:15: bridge.rules[0].queues: there is no queue "reading" in queues - did you mean "readings"?',
    ],
    [
      'queues:\n  q: {}\nbridge:\n  rules:\n    - name: r\n      topics: a/#/b\n      queues: q\n',
      'c.yaml:6:15: bridge.rules[0].topics: expected a topic filter',
    ],
    [
      'queues:\n  q: {}\nbridge:\n  rules:\n    - name: r\n      topics: t\n      queues: q\n      where:\n        - json: a\n',
      'c.yaml:9:11: bridge.rules[0].where[0]: expected what must be true of it',
    ],
  ])('%j', async (text, problem) => {
    expect((await problemsOf(text))[0]).toContain(problem);
  });
});
