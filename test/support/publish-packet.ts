/** A PUBLISH for mqtt-packet, with defaults for what a test does not care about. */
import type { IPublishPacket } from 'mqtt-packet';

export function publishPacket(
  topic: string,
  payload: string | Buffer,
  fields: Partial<Omit<IPublishPacket, 'cmd' | 'topic' | 'payload'>> = {},
): IPublishPacket {
  return { cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false, ...fields };
}
