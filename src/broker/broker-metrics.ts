/** What the broker counts. Plain numbers, added to on the hot path and read by whoever reports. */
import { CLOSE_REASONS, type CloseReason } from '../core/close-reason.js';

export class BrokerMetrics {
  bytesReceived = 0;
  /** Packets by type, index as in the fixed header. */
  readonly packetsReceived = new Float64Array(16);
  readonly packetsSent = new Float64Array(16);
  publishBytesReceived = 0;
  publishBytesSent = 0;
  /** PUBLISH packets that matched no subscription. */
  publishesUnmatched = 0;
  socketsAccepted = 0;
  connectionsAccepted = 0;
  connectionsMaximum = 0;
  /** Times that a publisher was held back because of a slow receiver. */
  publishersHeld = 0;
  readonly #closes = new Map<CloseReason, number>(CLOSE_REASONS.map((reason) => [reason, 0]));

  get allPacketsReceived(): number {
    return sum(this.packetsReceived);
  }

  get allPacketsSent(): number {
    return sum(this.packetsSent);
  }

  countClose(reason: CloseReason): void {
    this.#closes.set(reason, this.closesOf(reason) + 1);
  }

  closesOf(reason: CloseReason): number {
    return this.#closes.get(reason) ?? 0;
  }
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
