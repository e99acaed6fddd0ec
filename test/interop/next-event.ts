/** The next event of an MQTT.js client, whose emitter is not of the type that `once` of `node:events` takes. */
import type { MqttClient, MqttClientEventCallbacks } from 'mqtt';

/** @returns the arguments of the event */
export function nextEvent<Name extends keyof MqttClientEventCallbacks>(
  client: MqttClient,
  name: Name,
): Promise<Parameters<MqttClientEventCallbacks[Name]>> {
  return new Promise((resolve) => {
    const listener = (...details: Parameters<MqttClientEventCallbacks[Name]>) => resolve(details);
    client.once(name, listener as MqttClientEventCallbacks[Name]);
  });
}
