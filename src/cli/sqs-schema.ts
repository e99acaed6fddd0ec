/** The `sqs` section: the endpoint for clients of SQS. It reaches the endpoint by sqs-settings.ts. */
import { z } from 'zod';
import { PERMISSIONS } from '../bridge/sqs/caller.js';
import { host, port } from './listener-schema.js';
import { expected, setting } from './setting.js';
import { httpTlsSchema } from './tls-schema.js';

const notAMap = expected('a map of settings');

const wantedVariable = expected('the name of an environment variable');
const wantedQueues = expected('the name of a queue, or a list of names, in which * stands for any characters');
const queues = z.string(wantedQueues).min(1, wantedQueues).max(128, wantedQueues);
const wantedKey = expected('an access key id of 3 to 128 letters, digits, -, _ and .');
const wantedUrl = expected('a URL such as https://queues.example.com');

const permission = z.strictObject(
  {
    queues: z.union([queues, z.array(queues).min(1).max(1000)], wantedQueues).transform((given) => [given].flat()),
    allow: z
      .array(z.enum(PERMISSIONS, expected(`one of ${PERMISSIONS.join(', ')}`)), expected('a list of permissions'))
      .min(1),
  },
  expected('a permission, such as {queues: orders-*, allow: [receive]}'),
);

const accessKey = z
  .strictObject(
    {
      id: z
        .string(wantedKey)
        .regex(/^[A-Za-z0-9_.-]{3,128}$/, wantedKey)
        .meta({
          description: 'Id of the key, as clients send it. It is no secret.',
          'x-unit': '',
        }),
      secretFile: setting
        .file('File whose first line is the secret; read at start. Unset: the secret comes from `secretEnvironment`.')
        .optional(),
      secretEnvironment: z
        .string(wantedVariable)
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, wantedVariable)
        .optional()
        .meta({
          description: 'Environment variable that holds the secret. Unset: the secret comes from `secretFile`.',
          'x-unit': '',
        }),
      permissions: z.array(permission, expected('a list of permissions')).max(1000).default([]).meta({
        description:
          'What the key is good for: a list of `queues` (names, in which `*` stands for any characters) with what is allowed: `receive` (also delete and change visibility), `send`, `manage` (make, change, purge and delete queues, move dead letters). Unset: nothing.',
        'x-unit': '',
      }),
    },
    expected('an access key, such as {id: WORKER, secretFile: worker.secret, permissions: […]}'),
  )
  .superRefine((key, context) => {
    if ((key.secretFile === undefined) !== (key.secretEnvironment === undefined)) return;
    context.addIssue({ code: 'custom', message: 'expected either secretFile or secretEnvironment', input: key });
  });

export type AccessKeySettings = z.output<typeof accessKey>;

export const sqsSchema = z
  .strictObject(
    {
      enabled: z.boolean(expected('true or false')).default(true).meta({
        description:
          'Whether the endpoint is opened. Default: on this machine alone, and unsigned, as local stand-ins for SQS do, so that a first try with any SDK needs no setup.',
        'x-unit': '',
      }),
      host,
      port: port.default(9324),
      auth: z.enum(['signed', 'none'], expected('one of signed, none')).optional().meta({
        description:
          'Whether requests must be signed (Signature Version 4) with one of `accessKeys`; `none` serves everybody who can reach the endpoint, signed or not, and is allowed on loopback addresses only. Default: unset, which is `none` on a loopback address without any access key, and `signed` otherwise.',
        'x-unit': '',
      }),
      accessKeys: z.array(accessKey, expected('a list of access keys')).max(10_000).default([]).meta({
        description: 'Who may use the endpoint, and for what. Default: nobody is known until you say so.',
        'x-unit': '',
      }),
      publicUrl: z
        .string(wantedUrl)
        .regex(/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, wantedUrl)
        .optional()
        .meta({
          description:
            'What stands in front of the URLs of queues, for an endpoint behind a proxy. Default: unset, which takes the Host header of the request.',
          'x-unit': '',
        }),
      region: z
        .string(expected('the name of a region'))
        .regex(/^[a-z0-9-]{1,32}$/, expected('the name of a region, such as us-east-1'))
        .default('us-east-1')
        .meta({
          description:
            'Appears in the ARNs of queues; requests may name any. Default: what most tools take when nobody says.',
          'x-unit': '',
        }),
      account: z
        .string(expected('twelve digits'))
        .regex(/^\d{12}$/, expected('twelve digits'))
        .default('000000000000')
        .meta({ description: 'Appears in URLs and ARNs of queues. Default: what is nobody’s.', 'x-unit': '' }),
      maxConnections: setting.count({
        description: 'Connections open at one time; one more is told so and closed.',
        reason: 'two for each receive that may wait',
        default: 20_000,
        min: 1,
        max: 1_000_000,
        unit: 'connections',
      }),
      maxWaitingReceives: setting.count({
        description: 'Receives that may wait for messages at one time; one more is answered with RequestThrottled.',
        reason: 'some hundreds of megabytes at most, and more than most fleets of workers have',
        default: 10_000,
        min: 1,
        max: 1_000_000,
        unit: 'receives',
      }),
      maxQueues: setting.count({
        description:
          'Queues with which CreateQueue makes no other one, those of the configuration included; it is answered with OverLimit then.',
        reason: 'one for each tenant of a large service, at a few kilobytes each',
        default: 10_000,
        min: 1,
        max: 1_000_000,
        unit: 'queues',
      }),
      maxRequestSize: setting.size({
        description: 'Largest body of a request.',
        reason: 'a batch of 1 MiB of text, in the longest form in which it can be written',
        default: 4 * 2 ** 20,
        min: 1024,
        max: 2 ** 28,
      }),
      maxReceivingSize: setting.size({
        description: 'Bytes of requests that have not come as a whole, all connections together; more are refused.',
        reason: 'bounds what many slow senders cost together',
        default: 64 * 2 ** 20,
        min: 1024,
      }),
      maxSendingSize: setting.size({
        description:
          'Bytes of answers that their receivers have not taken, all connections together; beyond that, requests are refused.',
        reason: 'some hundreds of large messages, or many small ones, on slow lines',
        default: 256 * 2 ** 20,
        min: 1024,
      }),
      requestTimeout: setting.duration({
        description:
          'How long a request may take to come as a whole. An answer of which nothing is taken for so long, and 20 seconds more, ends its connection.',
        reason: 'for the largest one on a slow line',
        default: 30,
        min: 1,
        max: 3600,
      }),
      tls: httpTlsSchema,
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'The endpoint for clients of Amazon SQS: any AWS SDK can work on the queues.' });
