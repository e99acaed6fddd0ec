import type { BrokerLimits } from '../broker/broker-options.js';
import type { Settings } from './config-schema.js';

/** The broker's limits as the configuration sets them: every field, by the broker's own names and units. */
export function brokerLimits(settings: Settings): BrokerLimits {
  const { auth, mqtt, sessions, retained, limits, storage, sys } = settings;
  return {
    maximumPacketSize: mqtt.maxPacketSize,
    receiveMaximum: mqtt.receiveMaximum,
    maximumInflight: mqtt.maxInflight,
    topicAliasMaximum: mqtt.topicAliasMaximum,
    outboundTopicAliasMaximum: mqtt.outboundTopicAliasMaximum,
    sessionExpiryMaximumSeconds: mqtt.maxSessionExpiry,
    mqtt3SessionExpirySeconds: mqtt.mqtt3SessionExpiry,
    keepAliveMaximumSeconds: mqtt.maxKeepAlive,
    connectTimeoutMs: milliseconds(mqtt.connectTimeout),
    maximumFiltersPerPacket: mqtt.maxFiltersPerPacket,
    maximumTopicLevels: mqtt.maxTopicLevels,
    maximumTopicLength: mqtt.maxTopicLength,
    maximumSubscriptionsPerSession: mqtt.maxSubscriptionsPerSession,
    maximumSubscriptionBytesPerSession: mqtt.maxSubscriptionBytesPerSession,
    authenticationMaximumRounds: auth.maxExchangeRounds,
    authenticationMaximumBytes: auth.maxExchangeBytes,
    maximumSessions: sessions.maxSessions,
    queueMaximumMessages: sessions.maxQueuedMessages,
    queueMaximumBytes: sessions.maxQueuedBytes,
    queueOverflow: sessions.queueOverflow,
    queueTotalMaximumBytes: sessions.maxTotalQueuedBytes,
    queueTotalOverflow: sessions.totalQueueOverflow,
    retainedMaximumMessages: retained.maxMessages,
    retainedMaximumBytes: retained.maxBytes,
    retainedOverflow: retained.overflow,
    outboundSoftLimitBytes: limits.outboundSoftLimit,
    outboundHardLimitBytes: limits.outboundHardLimit,
    outboundTotalLimitBytes: limits.outboundTotalLimit,
    slowConsumerGraceMs: milliseconds(limits.slowConsumerGrace),
    inboundMessageRate: limits.clientRates.messagesIn,
    inboundByteRate: limits.clientRates.bytesIn,
    outboundMessageRate: limits.clientRates.messagesOut,
    outboundByteRate: limits.clientRates.bytesOut,
    rateBurstSeconds: limits.clientRates.burst,
    inboundRatePolicy: limits.clientRates.policy,
    overloadDelayMs: milliseconds(limits.overload.delay),
    overloadHeapShare: limits.overload.heap / 100,
    overloadResidentBytes: limits.overload.memory,
    wakeUpsPerSecond: limits.wakeUps,
    storageFailureTimeoutMs: milliseconds(storage.failureTimeout),
    sysIntervalSeconds: sys.interval,
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}
