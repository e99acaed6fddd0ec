/** The `mqtt` section: what the protocol lets a client ask for. */
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../broker/broker-options.js';
import { expected, setting } from './setting.js';

/** Section 3.1.2.11.2 of MQTT 5: the Session Expiry Interval that never ends. */
const NEVER = 0xffffffff;

/** Section 2.1.4 of MQTT 5: the Remaining Length ends at 256 MiB less a byte; the fixed header is left out of account. */
const LARGEST_PACKET = 256 * 1024 * 1024;

export const mqttSchema = z
  .strictObject(
    {
      maxPacketSize: setting.size({
        description: 'Largest packet taken from a client, in bytes, fixed header included.',
        reason: 'telemetry is small, and memory is not free',
        default: DEFAULT_LIMITS.maximumPacketSize,
        min: 256,
        max: LARGEST_PACKET,
      }),
      receiveMaximum: setting.count({
        description: 'Unacknowledged QoS 1 and 2 publishes that one client may have on the way to the broker.',
        reason: 'enough to keep a fast link busy; each costs the memory of its message until it is acknowledged',
        default: DEFAULT_LIMITS.receiveMaximum,
        min: 1,
        max: 65_535,
        unit: 'messages',
      }),
      maxInflight: setting.count({
        description:
          "Unacknowledged QoS 1 and 2 publishes that the broker has on the way to one client. The client's own Receive Maximum may lower it.",
        reason: 'one subscriber can then take all that a core routes; a smaller one repeats less after a reconnect',
        default: DEFAULT_LIMITS.maximumInflight,
        min: 1,
        max: 32_767,
        unit: 'messages',
      }),
      topicAliasMaximum: setting.count({
        description: 'Topic aliases that one client may set up; 0 switches them off.',
        reason: 'a device publishes to few topics, and each alias costs one pointer',
        default: DEFAULT_LIMITS.topicAliasMaximum,
        min: 0,
        max: 65_535,
        unit: 'aliases',
      }),
      outboundTopicAliasMaximum: setting.count({
        description: 'Topic aliases that the broker uses towards one client that allows them; 0 switches them off.',
        reason: 'covers the topics that make up most of the traffic of one connection',
        default: DEFAULT_LIMITS.outboundTopicAliasMaximum,
        min: 0,
        max: 65_535,
        unit: 'aliases',
      }),
      maxSessionExpiry: setting.duration({
        description:
          'Longest Session Expiry Interval granted, in seconds. A longer wish is lowered to it, and the client is told in CONNACK.',
        reason: 'the client decides, as in the specification',
        default: DEFAULT_LIMITS.sessionExpiryMaximumSeconds,
        min: 0,
        max: NEVER,
        never: NEVER,
        wholeSeconds: true,
      }),
      mqtt3SessionExpiry: setting.duration({
        description:
          'Expiry, in seconds, of the session of an MQTT 3.1.1 client that connected with Clean Session 0; such a client cannot ask for one.',
        reason: 'a device that has been away for a week is probably gone, and its queue need not grow for ever',
        default: DEFAULT_LIMITS.mqtt3SessionExpirySeconds,
        min: 0,
        max: NEVER,
        never: NEVER,
        wholeSeconds: true,
      }),
      maxKeepAlive: setting.duration({
        description:
          'Longest keep alive accepted, in seconds; 0 accepts all. A longer one, or none, is replaced: an MQTT 5 client is told by Server Keep Alive.',
        reason: 'the client decides, as in the specification',
        default: DEFAULT_LIMITS.keepAliveMaximumSeconds,
        min: 0,
        max: 65_535,
        wholeSeconds: true,
      }),
      connectTimeout: setting.duration({
        description:
          'Time from accepting a connection to its CONNACK, in seconds: for CONNECT to be complete, and for the client to authenticate. A re-authentication may take as long.',
        reason: 'long enough for a slow radio link, short enough that silent sockets do not pile up',
        default: DEFAULT_LIMITS.connectTimeoutMs / 1000,
        min: 0.1,
        max: 600,
      }),
      maxFiltersPerPacket: setting.count({
        description: 'Topic filters in one SUBSCRIBE or UNSUBSCRIBE.',
        reason: 'bounds the work that one packet can cause',
        default: DEFAULT_LIMITS.maximumFiltersPerPacket,
        min: 1,
        max: 65_535,
        unit: 'filters',
      }),
      maxTopicLevels: setting.count({
        description: 'Levels in a topic name or filter, that is one more than it has slashes.',
        reason: 'bounds the work of matching one topic; real topics have fewer than 20',
        default: DEFAULT_LIMITS.maximumTopicLevels,
        min: 1,
        max: 65_535,
        unit: 'levels',
      }),
      maxTopicLength: setting.count({
        description:
          'Characters of a topic name or filter. A longer filter is refused with reason code 0x8F; a publisher of a longer topic is disconnected with 0x90.',
        reason: 'what the protocol allows',
        default: DEFAULT_LIMITS.maximumTopicLength,
        min: 1,
        max: 65_535,
        unit: 'characters',
      }),
      maxSubscriptionsPerSession: setting.count({
        description: 'Subscriptions that one session may hold.',
        reason: 'a gateway may speak for many devices; beyond that it is a mistake',
        default: DEFAULT_LIMITS.maximumSubscriptionsPerSession,
        min: 1,
        max: 10_000_000,
        unit: 'subscriptions',
      }),
      maxSubscriptionBytesPerSession: setting.size({
        description: 'Memory that the subscriptions of one session may take, by estimate, index included.',
        reason: 'room for the number above with ordinary filters, and a bound for long and deep ones',
        default: DEFAULT_LIMITS.maximumSubscriptionBytesPerSession,
        min: 1024,
      }),
    },
    expected('a map of settings'),
  )
  .prefault({})
  .meta({ description: 'What the protocol lets a client ask for.' });
