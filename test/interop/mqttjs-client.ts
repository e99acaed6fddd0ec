/** A client of MQTT.js that is ended with its test, with everything that it has received, from before its first packet on. */
import { connect, type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import { nextEvent } from './next-event.js';

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly packet: IPublishPacket;
}

export interface RecordedClient {
  readonly client: MqttClient;
  readonly connack: IConnackPacket;
  readonly received: Received[];
}

/** Connects; once only, unless the options say otherwise. */
export async function startClient(url: string, options: IClientOptions): Promise<RecordedClient> {
  const client = connect(url, { reconnectPeriod: 0, ...options });
  onTestFinished(() => client.endAsync(true));
  client.on('error', () => {});
  const received: Received[] = [];
  client.on('message', (topic, payload, packet) => received.push({ topic, payload: payload.toString(), packet }));
  const [connack] = await nextEvent(client, 'connect');
  return { client, connack, received };
}

export function payloadsOf({ received }: Pick<RecordedClient, 'received'>): string[] {
  return received.map(({ payload }) => payload);
}
