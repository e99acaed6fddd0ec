/**
 * Why a message was not delivered to somebody who would have received it. The one list of such reasons: every drop
 * names one of these and is counted under it.
 */
export const DROP_REASONS = [
  /** QoS 0, and the subscriber is not connected. */
  'offline-qos0',
  /** The session's queue has reached its limit of messages or bytes. */
  'queue-full',
  /** What waits in the queues of all sessions together has reached its limit of bytes. */
  'session-queues-full',
  /** The Message Expiry Interval ran out before delivery began. */
  'expired',
  /** The encoded packet is larger than the client's Maximum Packet Size [MQTT-3.1.2-25]. */
  'packet-too-large',
  /** The session ended while the message was waiting in it. */
  'session-ended',
  /** The client has unsubscribed while the message was waiting for it. */
  'unsubscribed',
  /** What was stored of the message could not be read back. */
  'storage-damaged',
  /** The connection was closed because its subscriber reads too slowly; what stood in its buffer is gone. */
  'slow-consumer',
  /** The subscriber answered PUBACK or PUBREC with an error. */
  'refused-by-client',
  /** No member of the shared group could take it. */
  'no-group-member',
  /** The publisher may not publish there. */
  'not-authorized',
  /** The store could not take it: the disk is full or fails. The publisher was told, where it could be. */
  'storage-unavailable',
  /** A retained message was not stored because of the limits on retained messages. */
  'retained-limit',
  /** Above the rate of the client that published it, or at QoS 0 of the one that was to get it. */
  'message-rate',
  /** A work queue was full, or takes no message of this size, and the rule of the bridge or the publisher allowed nothing better. */
  'work-queue-full',
  'work-queue-too-large',
  /** A rule of the bridge, or a publisher, names a work queue that is not there. */
  'work-queue-missing',
  /** What a consumer said on the control topic of a work queue was not understood, or was not about a message that it has. */
  'work-command-refused',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];
