/** Counts what is lost when an outbound buffer is thrown away: its QoS 0 messages. Those of QoS 1 and 2 stay in flight. */
import { FrameSplitter } from '../codec/frame-splitter.js';
import { PUBLISH } from '../codec/packet-type.js';

/** @param pieces whole packets, which may be cut between pieces */
export function countQos0Publishes(pieces: readonly Buffer[]): number {
  let count = 0;
  const splitter = new FrameSplitter();
  const sink = {
    maximumPacketSize: Number.MAX_SAFE_INTEGER,
    onFrame(bytes: Buffer, start: number): boolean {
      const header = bytes[start] as number;
      if (header >> 4 === PUBLISH && (header & 0x06) === 0) count++;
      return true;
    },
  };
  for (const piece of pieces) splitter.push(piece, sink);
  return count;
}
