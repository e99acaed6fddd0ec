/**
 * A Message is what a publisher said: immutable content, without a packet identifier (that belongs to a session).
 * It is kept as slices of one buffer in the layout of an MQTT 5 PUBLISH, so that forwarding never re-encodes it:
 *
 *   bytes  … | topic | … | properties | payload | …
 *              ^topicStart ^propertiesStart  ^payloadStart ^payloadEnd
 *
 * `properties` are raw MQTT 5 property bytes as the publisher sent them, without Topic Alias and Subscription
 * Identifier; empty for an MQTT 3 publisher. The Message Expiry Interval, if there is one, stands at `expiryOffset`
 * (four bytes) and is overwritten on the way out [MQTT-3.3.2-6].
 */
export type Qos = 0 | 1 | 2;

const EMPTY = Buffer.alloc(0);

export class Message {
  #topic: string | null = '';
  bytes: Buffer = EMPTY;
  topicStart = 0;
  topicEnd = 0;
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Where in `bytes` the value of the Message Expiry Interval stands, or -1. */
  expiryOffset = -1;
  qos: Qos = 0;
  /** RETAIN as the publisher set it. */
  retain = false;
  /** Client id of the publisher; empty for the broker itself. */
  publisherId = '';
  arrivedAtMs = 0;
  /** Absolute end of the Message Expiry Interval, or 0 for none. */
  expiresAtMs = 0;

  /** The topic name, decoded; from its bytes when it is first asked for, if nobody has given it. */
  get topic(): string {
    this.#topic ??= this.bytes.utf8Slice(this.topicStart, this.topicEnd);
    return this.#topic;
  }

  /** null leaves it to the bytes. */
  set topic(topic: string | null) {
    this.#topic = topic;
  }

  /** Bytes that the content takes: topic, properties and payload. */
  get byteLength(): number {
    return (
      this.topicEnd -
      this.topicStart +
      (this.propertiesEnd - this.propertiesStart) +
      (this.payloadEnd - this.payloadStart)
    );
  }

  /** The payload, as a view. */
  get payload(): Buffer {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd);
  }

  /** The raw property bytes, as a view. */
  get properties(): Buffer {
    return this.bytes.subarray(this.propertiesStart, this.propertiesEnd);
  }

  isExpired(nowMs: number): boolean {
    return this.expiresAtMs !== 0 && nowMs >= this.expiresAtMs;
  }

  /** Whole seconds that are left of the Message Expiry Interval; at least 1 while it has not run out. */
  remainingExpirySeconds(nowMs: number): number {
    return Math.max(1, Math.ceil((this.expiresAtMs - nowMs) / 1000));
  }

  /** Copies the content to `target` at `offset`, where there is room for {@link span} bytes, and lives there from now on. */
  moveTo(target: Buffer, offset: number): void {
    this.bytes.copy(target, offset, this.topicStart, this.payloadEnd);
    const shift = offset - this.topicStart;
    this.bytes = target;
    this.topicStart += shift;
    this.topicEnd += shift;
    this.propertiesStart += shift;
    this.propertiesEnd += shift;
    this.payloadStart += shift;
    this.payloadEnd += shift;
    if (this.expiryOffset !== -1) this.expiryOffset += shift;
  }

  /** Bytes from the first of the topic to the last of the payload. */
  get span(): number {
    return this.payloadEnd - this.topicStart;
  }

  /** Moves the content to a buffer of its own size, if it lies in a larger one: for messages that stay for long. */
  compact(): void {
    const { span } = this;
    if (this.bytes.buffer.byteLength > span + 64) this.moveTo(Buffer.allocUnsafeSlow(span), 0);
  }

  /** A second Message on the same bytes. Only as long-lived as they are. */
  clone(): Message {
    const copy = new Message();
    copy.#topic = this.#topic;
    copy.bytes = this.bytes;
    copy.topicStart = this.topicStart;
    copy.topicEnd = this.topicEnd;
    copy.propertiesStart = this.propertiesStart;
    copy.propertiesEnd = this.propertiesEnd;
    copy.payloadStart = this.payloadStart;
    copy.payloadEnd = this.payloadEnd;
    copy.expiryOffset = this.expiryOffset;
    copy.qos = this.qos;
    copy.retain = this.retain;
    copy.publisherId = this.publisherId;
    copy.arrivedAtMs = this.arrivedAtMs;
    copy.expiresAtMs = this.expiresAtMs;
    return copy;
  }
}
