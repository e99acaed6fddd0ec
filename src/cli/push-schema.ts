/**
 * Webhooks: the `push` section, which says where requests may go at all, and `push` of a queue, which says where its messages are sent. Secrets and
 * headers appear in no message: what is wrong with one is said without showing it.
 */
import { z } from 'zod';
import { AllowedTargets } from '../bridge/push/allowed-targets.js';
import { isHeaderName, isHeaderText } from '../bridge/push/header-text.js';
import { isSettableHeader, PUSH_FORMATS } from '../bridge/push/push-target.js';
import { MAXIMUM_SECRET_BYTES, MINIMUM_SECRET_BYTES, parseWebhookSecret } from '../bridge/push/webhook-signature.js';
import { expected, setting } from './setting.js';

const DAY_SECONDS = 86_400;

const notAMap = expected('a map of settings');

const wantedEntry = expected('a host name such as hooks.example.com or *.example.com, or a range such as 10.0.0.0/8');

export const pushSchema = z
  .strictObject(
    {
      allow: setting.list({
        description:
          'Where webhooks may be: host names, `*.` and a domain for all names in it, addresses, and ranges of addresses. A name allows public addresses only; loopback, private, link-local and other special addresses have to be in a range of the list. What counts is the address that is connected to. An empty list allows every public address.',
        reason: 'no queue sends into the network around the broker unless somebody has decided that it may',
        item: z
          .string(wantedEntry)
          .refine((text) => AllowedTargets.isEntry(text), wantedEntry)
          .meta({ description: 'Host name, address or range.', 'x-unit': '' }),
        what: 'host names and ranges',
        max: 1000,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Where the webhooks of queues may be.' });

const wantedUrl = { error: 'expected a URL that begins with http:// or https:// and has no user, password or #' };

function isTarget(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { username, password, hash } = new URL(text);
  return `${username}${password}${hash}` === '' && !text.includes('#');
}

/** Never says what it found. */
export const WANTED_SECRET = `whsec_ and the base64 of ${MINIMUM_SECRET_BYTES} to ${MAXIMUM_SECRET_BYTES} bytes`;
const wantedSecret = { error: `expected a secret: ${WANTED_SECRET}` };
const wantedSecrets = { error: `expected a list of up to 10 secrets, each ${WANTED_SECRET}` };
const wantedHeader = { error: 'expected the value of a header: printable ASCII, in quotes if it is a number' };
const wantedName =
  'expected the name of a header that is not for the broker to set (as host, content-length, webhook-id are)';
const wantedHeaders = {
  error: ({ code }: { readonly code?: string }) =>
    code === 'invalid_key' ? wantedName : 'expected a map of header names and values',
};

const breaker = z
  .strictObject(
    {
      failures: setting.count({
        description:
          'Requests that fail one after the other until the target counts as down, and is sent nothing but a probe now and then.',
        reason: 'more than one bad message has in a row while others pass',
        default: 10,
        min: 1,
        max: 10_000,
        unit: 'requests',
      }),
      firstWait: setting.duration({
        description:
          'How long a target that is down is left alone before the first probe; then twice as long each time.',
        reason: 'a restart takes about so long',
        default: 1,
        min: 0.1,
        max: DAY_SECONDS,
      }),
      longestWait: setting.duration({
        description: 'How long it is left alone at most. At least `firstWait`.',
        reason: 'work goes on soon after a long failure, and probes use up few attempts of messages meanwhile',
        default: 60,
        min: 0.1,
        max: DAY_SECONDS,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'When a target is left alone.' });

const batch = z
  .strictObject(
    {
      maxMessages: setting.count({
        description: 'Messages in one request at most. With 1, each message is the body of a request of its own.',
        reason: 'a receiver of single messages need not know of lists',
        default: 1,
        min: 1,
        max: 500,
        unit: 'messages',
      }),
      maxBytes: setting.size({
        description: 'Of the body of a request with several messages at most; a message that is larger is sent alone.',
        reason: 'common servers take a megabyte without being told to',
        default: 256 * 1024,
        min: 1024,
        max: 16 * 1024 * 1024,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Several messages in one request, as a list of JSON.' });

/** `push` of a queue. */
export const queuePushSchema = z
  .strictObject(
    {
      url: z.string(wantedUrl).refine(isTarget, wantedUrl).optional().meta({
        description:
          'Where the messages of the queue are sent, each as the body of a POST; redirects are not followed. Default: unset, so that nothing is sent.',
        'x-unit': '',
      }),
      format: setting.choice({
        description:
          'How a request says what is known of the message: `plain` in headers of our own, `cloudevents` in those of CloudEvents 1.0, binary content mode.',
        reason: 'any server can read it',
        words: PUSH_FORMATS,
        default: 'plain',
      }),
      secrets: z
        .array(
          z.string(wantedSecret).refine((text) => parseWebhookSecret(text) !== null, wantedSecret),
          wantedSecrets,
        )
        .max(10, wantedSecrets)
        .default([])
        .meta({
          description: `Secrets by which requests are signed, as Standard Webhooks has it: ${WANTED_SECRET}. Each gives a signature, so that a receiver can move from one to the next. Default: unsigned, since a receiver has to know the secret, too.`,
          'x-unit': '',
          'x-secret': true,
        }),
      secretsFile: setting
        .file(
          'File with more of them, one a line; blank lines, and lines that begin with `#`, are skipped. Read at start. Default: unset.',
        )
        .optional(),
      headers: z
        .record(
          z.string().refine((name) => isHeaderName(name) && isSettableHeader(name)),
          z.string(wantedHeader).refine(isHeaderText, wantedHeader),
          wantedHeaders,
        )
        .default({})
        .meta({
          description:
            'Headers sent with each request, such as `authorization`; instead of one of ours by the same name, such as `content-type`. Default: none are needed.',
          'x-unit': '',
          'x-secret': true,
        }),
      ca: setting
        .file(
          'File with certificates, as PEM, of who vouches for the target. Default: unset, for the authorities that Node.js knows.',
        )
        .optional(),
      timeout: setting.duration({
        description: 'How long a request may take, from its beginning to the status of the answer.',
        reason: 'long for a server that answers when the work is stored, and short enough to notice one that hangs',
        default: 15,
        min: 0.1,
        max: 3600,
      }),
      concurrency: setting.count({
        description:
          'Requests at one time, which is also the number of connections and, unless `batch` is set, of messages in memory.',
        reason: 'hides the way to the target and back, and overwhelms few servers',
        default: 16,
        min: 1,
        max: 1000,
        unit: 'requests',
      }),
      batch,
      maxRetryAfter: setting.duration({
        description:
          'The longest time for which a target that answers 429 or 503 with Retry-After is left alone, whatever it asks for.',
        reason: 'nobody means to be left alone for longer, and a mistake there must not stop the queue for days',
        default: 3600,
        min: 1,
        max: 7 * DAY_SECONDS,
      }),
      breaker,
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'The webhook that the messages of the queue are sent to.' });

export type QueuePushSettings = z.output<typeof queuePushSchema>;
