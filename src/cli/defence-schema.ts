/** The `defence` section: against those who guess passwords, come and go, or fight each other, and who is banned. */
import { z } from 'zod';
import { DEFAULT_DEFENCE } from '../broker/defence/defence-options.js';
import { addressRange } from './address-setting.js';
import { expected, setting } from './setting.js';

const notAMap = expected('a map of settings');

const loginSchema = z
  .strictObject(
    {
      attempts: setting.count({
        description:
          'Failed logins of one user from one address after which it has to wait before the next is looked at; until then it is answered with reason code 0x9F. 0 switches all of this off.',
        reason: 'somebody who types, or a device with an old password, needs no more to find out',
        default: DEFAULT_DEFENCE.loginAttempts,
        min: 0,
        max: 1_000_000,
        unit: 'logins',
      }),
      firstWait: setting.duration({
        description: 'How long it has to wait then, in seconds; each further failure doubles it.',
        reason: 'unpleasant for a program that guesses, and not for a person',
        default: DEFAULT_DEFENCE.loginFirstWaitMs / 1000,
        min: 0.1,
        max: 86_400,
      }),
      longestWait: setting.duration({
        description: 'The longest wait, in seconds.',
        reason: 'a device whose password was put right is back soon; four attempts an hour guess nothing',
        default: DEFAULT_DEFENCE.loginLongestWaitMs / 1000,
        min: 0.1,
        max: 86_400,
      }),
      attemptsPerAddress: setting.count({
        description:
          'Failed logins of one address (or /64 of IPv6), by whatever names, after which all of it has to wait.',
        reason:
          'a site with a dozen devices whose passwords are wrong stays below it, since those wait each for itself',
        default: DEFAULT_DEFENCE.loginAttemptsPerAddress,
        min: 1,
        max: 1_000_000,
        unit: 'logins',
      }),
      attemptsPerUser: setting.count({
        description:
          'Failed logins of one user from whatever addresses, after which `userDelay` passes before a login of that user is looked at. The user is never locked out by that.',
        reason: 'far above what mistakes bring',
        default: DEFAULT_DEFENCE.loginAttemptsPerUser,
        min: 1,
        max: 1_000_000,
        unit: 'logins',
      }),
      userDelay: setting.duration({
        description: 'That delay, in seconds.',
        reason: 'nobody notices it who has the password',
        default: DEFAULT_DEFENCE.loginUserDelayMs / 1000,
        min: 0,
        max: 60,
      }),
      forgetAfter: setting.duration({
        description: 'Time without a failure after which all are forgiven, in seconds.',
        reason: 'guessing so slowly leads nowhere',
        default: DEFAULT_DEFENCE.loginForgetAfterMs / 1000,
        min: 1,
        max: 30 * 86_400,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Failed logins.' });

const flappingSchema = z
  .strictObject(
    {
      connects: setting.count({
        description:
          'Connections that one client id may make within `window`; with the next one it is banned for a while. 0 for any number.',
        reason: 'devices on bad radio links come and go, and must not be banned for that unasked',
        default: DEFAULT_DEFENCE.flappingConnects,
        min: 0,
        max: 1_000_000,
        unit: 'connections',
      }),
      connectsPerAddress: setting.count({
        description: 'The same for one address, or one /64 of IPv6. 0 for any number.',
        reason: 'a whole site of devices often shares one address',
        default: DEFAULT_DEFENCE.flappingConnectsPerAddress,
        min: 0,
        max: 1_000_000,
        unit: 'connections',
      }),
      window: setting.duration({
        description: 'The time in which they are counted, in seconds.',
        reason: 'longer than the pauses in which clients usually try again',
        default: DEFAULT_DEFENCE.flappingWindowMs / 1000,
        min: 1,
        max: 86_400,
      }),
      ban: setting.duration({
        description: 'How long the ban lasts, in seconds.',
        reason: 'rest for the broker, and not the end of a device',
        default: DEFAULT_DEFENCE.flappingBanMs / 1000,
        min: 1,
        max: 30 * 86_400,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Clients that connect and leave again and again.' });

const takeoversSchema = z
  .strictObject(
    {
      limit: setting.count({
        description:
          'Times within `window` that connections with one client id may take over from each other. Then whoever has it is left alone for `pause`, and others are refused with reason code 0x97. 0 for any number.',
        reason:
          'two clients that fight come to it within seconds; one that takes over from itself after a lost link does not',
        default: DEFAULT_DEFENCE.takeovers,
        min: 0,
        max: 1_000_000,
        unit: 'takeovers',
      }),
      window: setting.duration({
        description: 'The time in which they are counted, in seconds.',
        reason: 'longer than the pauses in which clients usually try again',
        default: DEFAULT_DEFENCE.takeoverWindowMs / 1000,
        min: 1,
        max: 86_400,
      }),
      pause: setting.duration({
        description: 'How long the client that has the client id is left alone, in seconds.',
        reason: 'long enough to do its work, short enough for one whose old connection is dead and was not missed yet',
        default: DEFAULT_DEFENCE.takeoverPauseMs / 1000,
        min: 0.1,
        max: 86_400,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Two clients with one client id.' });

const wantedBan = expected('a ban with one of client, user and address');

function text(description: string) {
  return z.string(expected('a text')).min(1, expected('a text')).optional().meta({ description, 'x-unit': '' });
}

const banSchema = z
  .strictObject(
    {
      client: text('The client id.'),
      user: text('The user name.'),
      address: addressRange.optional(),
      reason: text('For the log. The client is not told.'),
    },
    wantedBan,
  )
  .refine(({ client, user, address }) => [client, user, address].filter((name) => name !== undefined).length === 1, {
    error: 'a ban needs one of client, user and address',
  });

export const defenceSchema = z
  .strictObject(
    {
      login: loginSchema,
      flapping: flappingSchema,
      takeovers: takeoversSchema,
      banned: setting.list({
        description:
          'Who may not connect: a client id, a user name, or an address or range of them. A listener closes connections of banned addresses at once; others are answered with reason code 0x8A, and MQTT 3 with return code 5.',
        reason: 'nobody is',
        item: banSchema,
        what: 'bans',
        max: 10_000,
      }),
    },
    notAMap,
  )
  .prefault({})
  .meta({ description: 'Against those who guess passwords, or keep others from working.' });

export type DefenceSettings = z.output<typeof defenceSchema>;
