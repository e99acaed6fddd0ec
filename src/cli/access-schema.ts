/** The section `access` of the configuration. */
import { z } from 'zod';
import { expected, setting } from './setting.js';

const wantedFile = expected('the path of a file');

const file = z
  .string(wantedFile)
  .min(1, wantedFile)
  .refine((path) => !path.includes('\0'), wantedFile)
  .optional();

export const accessSchema = z
  .strictObject(
    {
      aclFile: file.meta({
        description:
          'Rules in the form of the `acl_file` of mosquitto, with its meaning. Read again when it changes, and on SIGHUP; a file with something wrong in it leaves the rules as they are. A relative path starts from the working directory. Default: unset.',
        'x-unit': '',
      }),
      rolesFile: file.meta({
        description:
          'Roles, their rules, and who has them: YAML, see docs/authorization.md. Read again likewise. With both files, or with rules that credentials bring along, a denial of one beats a permission of another, and what none permits is denied. Default: unset; with neither file everybody may do everything.',
        'x-unit': '',
      }),
      subscribeCheck: setting.choice({
        description:
          'The answer to a SUBSCRIBE of whose topics the client may receive none: `strict` refuses it (0x87), `mosquitto` accepts it, as mosquitto does. In both cases it is sent only what it may receive.',
        reason: 'a client that waits for messages which never come should be told so',
        words: ['strict', 'mosquitto'],
        default: 'strict',
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'Who may publish, subscribe and receive what, and use which work queues.' });

export type AccessSettings = z.output<typeof accessSchema>;
