/** How many messages, and bytes of them, one client may have sent in one direction; both are token buckets. */
import { TokenBucket } from '../core/token-bucket.js';
import type { BrokerLimits } from './broker-options.js';

export class RateMeter {
  readonly #messages: TokenBucket | null;
  readonly #bytes: TokenBucket | null;

  /** Rates are for one second; 0 for no limit. */
  constructor(messageRate: number, byteRate: number, burstSeconds: number, nowMs: number) {
    this.#messages = bucketOf(messageRate, burstSeconds, nowMs);
    this.#bytes = bucketOf(byteRate, burstSeconds, nowMs);
  }

  /** For what a client publishes; null if that is not limited. */
  static inbound({ inboundMessageRate, inboundByteRate, rateBurstSeconds }: BrokerLimits, nowMs: number) {
    if (inboundMessageRate + inboundByteRate === 0) return null;
    return new RateMeter(inboundMessageRate, inboundByteRate, rateBurstSeconds, nowMs);
  }

  /** For what it is sent; null if that is not limited. */
  static outbound({ outboundMessageRate, outboundByteRate, rateBurstSeconds }: BrokerLimits, nowMs: number) {
    if (outboundMessageRate + outboundByteRate === 0) return null;
    return new RateMeter(outboundMessageRate, outboundByteRate, rateBurstSeconds, nowMs);
  }

  /** A message has crossed. It may be larger than what was left: the next one waits for longer then. */
  spend(bytes: number, nowMs: number): void {
    this.#messages?.overdraw(1, nowMs);
    this.#bytes?.overdraw(bytes, nowMs);
  }

  /** Whether another message may cross now. */
  hasRoom(nowMs: number): boolean {
    return this.waitMs(nowMs) === 0;
  }

  /** Until another message may cross; 0 if one may now. */
  waitMs(nowMs: number): number {
    return Math.max(this.#messages?.msUntilNext(nowMs) ?? 0, this.#bytes?.msUntilNext(nowMs) ?? 0);
  }
}

function bucketOf(rate: number, burstSeconds: number, nowMs: number): TokenBucket | null {
  return rate === 0 ? null : new TokenBucket(rate, Math.max(1, rate * burstSeconds), nowMs);
}
