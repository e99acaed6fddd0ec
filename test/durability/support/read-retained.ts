import { Changes } from './changes.js';
import { SessionClient } from './session-client.js';

/** Topic of a retained message that is there all the time, outside of what is read. */
export const SENTINEL_TOPIC = 'sentinel/retained';

/**
 * What a new subscriber gets as retained messages, by topic. That there is no more is told by a retained message that
 * is asked for afterwards, and a PINGRESP behind it.
 */
export async function readRetained(port: number, filter: string): Promise<ReadonlyMap<string, string>> {
  const changes = new Changes();
  const found = new Map<string, string>();
  const client = new SessionClient(
    { clientId: 'retained-reader', version: 5, sessionExpirySeconds: 0 },
    {
      onDelivery: ({ topic, payload, isRetained }) => isRetained && found.set(topic, payload.toString()),
      onViolation: (text) => changes.fail(new Error(text)),
      onChange: () => changes.notify(),
    },
  );
  await client.connect(port);
  await client.subscribe(filter, 1);
  await client.subscribe(SENTINEL_TOPIC, 1);
  await changes.until(
    () => found.delete(SENTINEL_TOPIC),
    () => 'the retained message that stands for the end of the others',
    10_000,
  );
  await client.ping();
  client.disconnect();
  await changes.until(
    () => client.isClosed,
    () => 'the end of the connection',
  );
  return found;
}

/** Puts the sentinel there. */
export async function setSentinel(port: number): Promise<void> {
  const changes = new Changes();
  let isStored = false;
  const client = new SessionClient(
    { clientId: 'sentinel-setter', version: 5, sessionExpirySeconds: 0 },
    {
      onAccepted: () => {
        isStored = true;
      },
      onViolation: (text) => changes.fail(new Error(text)),
      onChange: () => changes.notify(),
    },
  );
  await client.connect(port);
  client.publish({ key: 'sentinel', topic: SENTINEL_TOPIC, payload: Buffer.from('here'), qos: 1, retain: true });
  await changes.until(
    () => isStored,
    () => 'PUBACK for the sentinel',
  );
  client.disconnect();
  await changes.until(
    () => client.isClosed,
    () => 'the end of the connection',
  );
}
