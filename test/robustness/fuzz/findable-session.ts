/**
 * A session that the broker has named is found again by nobody who has not read its CONNACK: it would stay for as long as
 * it may, and look like a leak. So what an input leaves behind has a name, unless it expires soon.
 */
import { type Expectation, judge, keptSecondsOf } from './client-judge.js';
import { cutIntoFrames } from './frames.js';
import { renameClient } from './mutate-sequence.js';

/** A session without a known name may be kept for so long. */
const SOON_SECONDS = 2;

export function isOrphan(expectation: Expectation): boolean {
  return expectation.connect?.clientId === '' && keptSecondsOf(expectation) > SOON_SECONDS;
}

/** @returns the sequence with `clientId`, if it would leave an orphan: judged, as the broker does, by its bytes alone */
export function withoutOrphan(packets: readonly Buffer[], clientId: string): readonly Buffer[] {
  const bytes = Buffer.concat(packets);
  if (!isOrphan(judge(bytes))) return packets;
  const first = cutIntoFrames(bytes).packets[0] as Buffer;
  // Damaged, the first buffer need not be the first packet.
  const behind = first.length === packets[0]?.length ? packets.slice(1) : [bytes.subarray(first.length)];
  return renameClient([first, ...behind], clientId, true);
}
