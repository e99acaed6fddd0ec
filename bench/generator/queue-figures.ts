/** What the broker says of its work queue, below $SYS. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from './broker-under-test.js';
import { Client } from './client.js';
import { type Protocol, PUBLISH } from './frames.js';
import { unsigned16 } from './subscriber.js';
import { WORK_FIGURES } from './work-queue.js';

const POLL_MS = 50;
/** Longer than a round of figures takes. */
const LONGEST_MS = 5000;
const FILLED = ['ready', 'in-flight', 'delayed'] as const;

export interface QueueFigures {
  /** Messages in the queue; undefined if the broker has not said. */
  readonly left: number | undefined;
  readonly missing: number | undefined;
}

/** Waits until the queue is empty, if it ever is. MQTT 3.1.1, in which nothing has to be skipped. */
export async function readQueueFigures(address: Address): Promise<QueueFigures> {
  const protocol: Protocol = 4;
  const client = await Client.open(address, protocol, 'bench-figures');
  const figures = new Map<string, number>();
  const { length } = WORK_FIGURES;
  await client.subscribe([`${WORK_FIGURES}#`], 0);
  client.handTo({
    onFrame: (bytes, start, bodyStart, end) => {
      if ((bytes[start] as number) >> 4 !== PUBLISH) return;
      const topicEnd = bodyStart + 2 + unsigned16(bytes, bodyStart);
      const name = Buffer.from(bytes.subarray(bodyStart + 2 + length, topicEnd)).toString();
      figures.set(name, Number(Buffer.from(bytes.subarray(topicEnd, end)).toString()));
    },
    onChunkEnd: () => {},
  });
  const deadlineMs = performance.now() + LONGEST_MS;
  while (performance.now() < deadlineMs && leftOf(figures) !== 0) await delay(POLL_MS);
  client.close();
  return { left: leftOf(figures), missing: figures.get('missing') };
}

function leftOf(figures: ReadonlyMap<string, number>): number | undefined {
  let left: number | undefined;
  for (const name of FILLED) {
    const value = figures.get(name);
    if (value !== undefined) left = (left ?? 0) + value;
  }
  return left;
}
