/**
 * Opens and closes connections of the `mqtt` client. A first connection that fails is an error in a sentence; one that
 * breaks later comes back by itself, which is what a device in the field does.
 */
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { type Clock, sleep } from './clock.js';
import { BrokerRefused, BrokerUnreachable } from './errors.js';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_AFTER_MS = 500;
const GOODBYE_MS = 2_000;

export type ProtocolVersion = 4 | 5;

export interface OpenConnection {
  readonly client: MqttClient;
  /** [MQTT-3.3.4-7] how many QoS 1 and 2 messages the broker takes unacknowledged; 65,535 where it does not say */
  readonly receiveMaximum: number;
}

/**
 * @throws BrokerUnreachable when nothing answers, or not within 5 seconds
 * @throws BrokerRefused when the CONNACK says no
 */
export function openConnection(
  url: URL,
  options: IClientOptions & { clientId: string; protocolVersion: ProtocolVersion },
): Promise<OpenConnection> {
  return new Promise((resolve, reject) => {
    const client = connect(url.href, {
      clean: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: RECONNECT_AFTER_MS,
      ...options,
    });
    const fail = (error: Error) => {
      client.end(true);
      reject(error);
    };
    const onError = (error: Error) => fail(explain(error, url, options.clientId, options.protocolVersion));
    const onClose = () => fail(unreachable(url, 'the connection was closed'));
    client.once('connect', (connack) => {
      client.off('error', onError);
      client.off('close', onClose);
      // later errors are followed by a reconnect, and what they cost shows in the ledger
      client.on('error', () => {});
      resolve({ client, receiveMaximum: connack.properties?.receiveMaximum ?? 65_535 });
    });
    client.on('error', onError);
    client.on('close', onClose);
  });
}

/** Disconnects; cuts the connection when the broker does not let it go in time. */
export async function closeConnection(client: MqttClient, clock: Clock): Promise<void> {
  if (client.connected) await withinTime(client.endAsync(), clock);
  client.end(true);
}

/** Publishes and waits for the acknowledgement; false when there was none in time. */
export async function publishWithinTime(
  client: MqttClient,
  topic: string,
  payload: string,
  options: { retain: boolean },
  clock: Clock,
): Promise<boolean> {
  if (!client.connected) return false;
  return await withinTime(client.publishAsync(topic, payload, { qos: 1, ...options }), clock);
}

async function withinTime(done: Promise<unknown>, clock: Clock): Promise<boolean> {
  const finished = new AbortController();
  const succeeded = done.then(
    () => true,
    () => false,
  );
  const late = sleep(clock, GOODBYE_MS, finished.signal).then(() => false);
  const result = await Promise.race([succeeded, late]);
  finished.abort();
  return result;
}

/** The client reports a CONNACK that says no as an error with a numeric code; a socket's errors have a string. */
function explain(error: Error, url: URL, clientId: string, protocolVersion: ProtocolVersion): Error {
  const code: unknown = 'code' in error ? error.code : undefined;
  if (typeof code !== 'number') return unreachable(url, reasonOf(error, code), error);
  // 1 is 3.1.1's "unacceptable protocol version", 132 (0x84) is MQTT 5's
  const advice =
    protocolVersion === 5 && (code === 1 || code === 132) ? ' It may not speak MQTT 5: try --protocol 4.' : '';
  return new BrokerRefused(
    `The broker at ${shown(url)} refused the client ${clientId}: ${error.message.replace(/^Connection refused: /, '')}.${advice}`,
    { cause: error },
  );
}

function unreachable(url: URL, reason: string, cause?: Error): BrokerUnreachable {
  return new BrokerUnreachable(
    `No broker answers at ${shown(url)} (${reason}). Start one in another terminal with "npm start", or name another with --url.`,
    { cause },
  );
}

function reasonOf(error: Error, code: unknown): string {
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (error.message === 'connack timeout') return `no answer within ${CONNECT_TIMEOUT_MS / 1000} seconds`;
  return error.message === '' ? String(code ?? error.name) : error.message;
}

/** Without the user name and the password. */
function shown(url: URL): string {
  return `${url.protocol}//${url.host}`;
}
