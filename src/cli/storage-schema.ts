/**
 * The `storage` section: where messages are kept, and what an acknowledgement promises. Its values reach the store as
 * StorageSettings (storage-options.ts).
 */
import { z } from 'zod';
import { DURABILITY_LEVELS } from '../core/durability.js';
import { InvalidFilter, parseTopicFilter } from '../topics/topic-filter.js';
import { expected, setting } from './setting.js';

/** More levels than fit into a filter: how many a topic may have is mqtt.maxTopicLevels' to say. */
const ANY_LEVELS = 65_536;

/** One block of messages, which is also what one commit writes at most in one piece. */
const BLOCK_BYTES = 64 * 1024;

const wantedDirectory = expected('the path of a directory');
const directory = z
  .string(wantedDirectory)
  .min(1, wantedDirectory)
  .refine((path) => !path.includes('\0'), wantedDirectory)
  .default('./data')
  .meta({
    description:
      'Directory of the store; made if it is not there, and used by one process at a time. A relative path starts from the working directory. Default: a first try needs no setup and no rights, and what it stored is easy to find.',
    'x-unit': '',
  });

const wantedFilter = expected('a topic filter such as debug/#');
const filter = z
  .string(wantedFilter)
  .superRefine((text, context) => {
    const reason = describeUnusableFilter(text);
    if (reason === undefined) return;
    context.addIssue({ code: 'custom', message: `${wantedFilter.error({ input: text })}: ${reason}`, input: text });
  })
  .meta({ description: 'Topic filter that the topic of a message is compared with; not a shared one.', 'x-unit': '' });

function describeUnusableFilter(text: string): string | undefined {
  const parsed = parseTopicFilter(text, ANY_LEVELS);
  if (parsed instanceof InvalidFilter) return parsed.reason;
  return parsed.shareName === undefined ? undefined : 'topics are compared with it, and none is shared';
}

const override = z.strictObject(
  {
    filter,
    durability: z
      .enum(DURABILITY_LEVELS, expected(`one of ${DURABILITY_LEVELS.join(', ')}`))
      .meta({ description: 'As `storage.durability`, for the messages of these topics.', 'x-unit': '' }),
  },
  expected('a map of filter and durability'),
);

export const storageSchema = z
  .strictObject(
    {
      directory,
      durability: setting.choice({
        description:
          'What has happened to a message when it is acknowledged: with `fsync` it is on the disk; with `os` it is written to the operating system, which keeps it at kill -9 and loses it when the power fails; with `memory` nothing outlives the process, and no directory is opened.',
        reason: 'an acknowledgement is a promise, and one fsync is shared by all messages that wait for it',
        words: DURABILITY_LEVELS,
        default: 'fsync',
      }),
      overrides: setting.list({
        description:
          'Topics that are stored otherwise: the first filter in the list that matches the topic of a message decides. With a durability of `memory` for everything there is no directory, and so nothing to raise.',
        reason: 'one promise for all topics is the one that nobody has to look up',
        item: override,
        what: 'topic filters with their durability',
        max: 1000,
      }),
      cache: setting.size({
        description:
          'Memory for blocks of stored messages, kept for the sessions that are being sent what has waited for them.',
        reason:
          'some hundreds of blocks, so that many sessions can catch up on the same messages and read each block once',
        default: 32 * 1024 * 1024,
        min: BLOCK_BYTES,
      }),
      maxPending: setting.size({
        description: 'Bytes written and not yet on the disk from which publishers are held back.',
        reason: 'some tens of milliseconds of a disk, and a bound for what a slow one costs',
        default: 16 * 1024 * 1024,
        min: BLOCK_BYTES,
      }),
      minFree: setting.size({
        description:
          'Free space of the disk below which no new message is stored; what is stored is still delivered. 0 switches the check off, and less than 48 MiB may leave too little room to empty the disk again.',
        reason:
          'room to go on acknowledging deliveries, and to merge files, which takes some 25 MiB before it gives any back',
        default: 64 * 1024 * 1024,
        min: 0,
      }),
      failureTimeout: setting.duration({
        description:
          'How long, in seconds, a publisher waits whose message cannot be stored: then it is disconnected (MQTT 3), or the message is refused with reason code 0x97 (MQTT 5).',
        reason: 'covers a disk that stalls; a publisher that waits longer had better keep its messages itself',
        default: 30,
        min: 0,
        max: 3600,
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'Where messages are kept, and what an acknowledgement promises.' });
