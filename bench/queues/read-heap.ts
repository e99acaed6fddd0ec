/** How much of its heap the broker uses, as it says itself below $SYS once a second. It has what is waiting to be collected in it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../generator/broker-under-test.js';
import { Client } from '../generator/client.js';
import { PUBLISH } from '../generator/frames.js';
import { unsigned16 } from '../generator/subscriber.js';

const TOPIC = '$SYS/broker/heap/current';
/** For some rounds of figures: the lowest of them has the least in it that nobody needs. */
const ROUNDS_MS = 3000;

/** @returns undefined if it does not say */
export async function readHeapBytes(address: Address): Promise<number | undefined> {
  const client = await Client.open(address, 4, 'bench-heap');
  let lowest: number | undefined;
  const reader = {
    onFrame: (bytes: Uint8Array, start: number, bodyStart: number, end: number) => {
      if ((bytes[start] as number) >> 4 !== PUBLISH) return;
      const value = Number(Buffer.from(bytes.subarray(bodyStart + 2 + unsigned16(bytes, bodyStart), end)).toString());
      lowest = Math.min(lowest ?? value, value);
    },
    onChunkEnd: () => {},
  };
  await client.subscribe([TOPIC], 0, () => client.handTo(reader));
  await delay(ROUNDS_MS);
  client.close();
  return lowest;
}
