/** The broker's own figures, read as any client reads them. */
import { readPublish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const PREFIX = '$SYS/broker/';
/** What expires soon has expired by then. */
const PATIENCE_MS = 15_000;

/**
 * Waits until the figures are as expected.
 * @param expected by name without `$SYS/broker/`
 * @returns what differs at the end, empty if nothing does
 */
export async function awaitFigures(port: number, expected: Readonly<Record<string, number>>): Promise<string[]> {
  const figures = new Map<string, string>();
  const client = await RawClient.connect(port, { clientId: 'figures' });
  client.onPacket = (packet) => {
    if (packet.type !== 3) return;
    const { topic, payload } = readPublish(packet);
    figures.set(topic.slice(PREFIX.length), payload);
  };
  client.send(subscribe(1, [`${PREFIX}#`]));
  const differing = () =>
    Object.entries(expected)
      .filter(([name, value]) => figures.get(name) !== String(value))
      .map(([name, value]) => `${name} is ${figures.get(name) ?? 'unknown'} instead of ${value}`);
  await client.until(() => differing().length === 0, PATIENCE_MS).catch(() => {});
  client.destroy();
  return differing();
}
