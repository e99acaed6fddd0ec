/** The `limits` section: what one connection, and one user, may cost. */
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../broker/broker-options.js';
import { expected, setting } from './setting.js';

export const limitsSchema = z
  .strictObject(
    {
      maxConnectionsPerUser: setting.count({
        description:
          'Connections at a time of one user name; one more is refused with reason code 0x97. Clients without a user name are not counted. 0 for no limit.',
        reason: 'whole fleets share one user name',
        default: 0,
        min: 0,
        max: 10_000_000,
        unit: 'connections',
      }),
      outboundSoftLimit: setting.size({
        description: 'Unsent bytes of one connection from which the publishers that feed it are held back.',
        reason: 'some tens of milliseconds of a fast link, so that a short stall holds nobody back',
        default: DEFAULT_LIMITS.outboundSoftLimitBytes,
        min: 1024,
      }),
      outboundHardLimit: setting.size({
        description:
          'Unsent bytes of one connection at which it is closed as a slow consumer. At least `outboundSoftLimit`, and at least twice `mqtt.maxPacketSize`.',
        reason: 'eight times the soft limit: the publishers are held back long before anybody is disconnected',
        default: DEFAULT_LIMITS.outboundHardLimitBytes,
        min: 1024,
      }),
      outboundTotalLimit: setting.size({
        description:
          'Unsent bytes of all connections together at which those are closed that nobody waits for any more.',
        reason: 'bounds what many stalled clients cost together, where each alone is within its limit',
        default: DEFAULT_LIMITS.outboundTotalLimitBytes,
        min: 1024,
      }),
      slowConsumerGrace: setting.duration({
        description:
          'How long, in seconds, publishers are held back for a consumer before it counts as stalled and is left to its hard limit.',
        reason: 'covers a pause of a busy consumer; one that has stopped reading must not hold the others up',
        default: DEFAULT_LIMITS.slowConsumerGraceMs / 1000,
        min: 0,
        max: 60,
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'What one connection may cost.' });
