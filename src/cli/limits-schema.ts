/** The `limits` section: what one connection, and one user, may cost. */
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../broker/broker-options.js';
import { expected, setting } from './setting.js';

const noRate = 'what a client may publish is not for the broker to guess';

const clientRatesSchema = z
  .strictObject(
    {
      messagesIn: setting.count({
        description: 'Messages that one connection may publish in a second, in the long run. 0 for any number.',
        reason: noRate,
        default: DEFAULT_LIMITS.inboundMessageRate,
        min: 0,
        max: 10_000_000,
        unit: 'messages a second',
      }),
      bytesIn: setting.size({
        description:
          'Bytes of PUBLISH packets that one connection may send in a second, in the long run. 0 for any number.',
        reason: noRate,
        default: DEFAULT_LIMITS.inboundByteRate,
        min: 0,
      }),
      messagesOut: setting.count({
        description:
          'Messages that one connection is sent in a second, in the long run; further ones wait in its session, and those of QoS 0 are dropped and counted as `message-rate`. 0 for any number.',
        reason: 'a subscriber is sent what it can read',
        default: DEFAULT_LIMITS.outboundMessageRate,
        min: 0,
        max: 10_000_000,
        unit: 'messages a second',
      }),
      bytesOut: setting.size({
        description: 'The same in bytes of topic, properties and payload. 0 for any number.',
        reason: 'a subscriber is sent what it can read',
        default: DEFAULT_LIMITS.outboundByteRate,
        min: 0,
      }),
      burst: setting.duration({
        description: 'How many seconds’ worth may come, or be sent, at once.',
        reason: 'evens out what one second brings',
        default: DEFAULT_LIMITS.rateBurstSeconds,
        min: 0.1,
        max: 3600,
      }),
      policy: setting.choice({
        description:
          'What happens to a client that publishes faster: with `pause` it is read later; with `refuse` QoS 1 and 2 are answered with reason code 0x97, QoS 0 is dropped, both are counted as `message-rate`, and MQTT 3 clients, which cannot be told, are read later; with `disconnect` it is disconnected with reason code 0x96.',
        reason: 'nothing is lost, and TCP tells the client to be slower',
        words: ['pause', 'refuse', 'disconnect'],
        default: DEFAULT_LIMITS.inboundRatePolicy,
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'How much one client may send and be sent.' });

const overloadSchema = z
  .strictObject(
    {
      delay: setting.duration({
        description:
          'How late the event loop may be on average over some seconds, in seconds. Above it new clients are refused with reason code 0x89; above five times as much, connections are closed at once. Those who are connected go on. 0 for any delay.',
        reason: 'hundreds of times what a busy broker shows; only one that cannot keep up at all comes to it',
        default: DEFAULT_LIMITS.overloadDelayMs / 1000,
        min: 0,
        max: 60,
      }),
      heap: setting.count({
        description: 'The same for the part of the JavaScript heap that is in use. 0 for any part.',
        reason: 'so near to its end the process has no other future than to run out of memory',
        default: DEFAULT_LIMITS.overloadHeapShare * 100,
        min: 0,
        max: 100,
        unit: 'percent',
      }),
      memory: setting.size({
        description: 'The same for the resident memory of the process. 0 for any amount.',
        reason: 'what a machine or a container has is not for the broker to guess, and files count in it',
        default: DEFAULT_LIMITS.overloadResidentBytes,
        min: 0,
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'When new clients are refused for the sake of those who are connected.' });

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
      clientRates: clientRatesSchema,
      overload: overloadSchema,
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
      wakeUps: setting.count({
        description:
          'Wake-ups of the event loop in a second, while many small messages come one by one: each then takes what has come since the last. Only while nothing is being written to the disk or read from it, and while as many packets come as without it: who waits for an answer before going on is not slowed. At least 500, or 0 for any number.',
        reason: 'two thirds of a millisecond at most, for a third to two thirds of the processor time of a message',
        default: DEFAULT_LIMITS.wakeUpsPerSecond,
        min: 0,
        max: 10_000,
        unit: 'wake-ups',
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'What one connection may cost.' });
