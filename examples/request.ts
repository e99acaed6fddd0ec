/**
 * Sends a request into the queue `telemetry` and prints the answer, which it awaits for ten seconds.
 *
 *   node build/examples/request.js [PAYLOAD]      environment: MQTT_URL, QUEUE
 *
 * The queue keeps the request until somebody has answered it. It expires when nobody waits for the answer any more.
 */
import { randomBytes } from 'node:crypto';
import { connectAsync, type MqttClient } from 'mqtt';

const { MQTT_URL: url = 'mqtt://127.0.0.1:1883', QUEUE: queue = 'telemetry' } = process.env;
const [payload = '{"celsius": 21.5}'] = process.argv.slice(2);
const LIMIT_SECONDS = 10;

const clientId = `request-${randomBytes(6).toString('hex')}`;
const responseTopic = `response/${clientId}`;
const correlationData = randomBytes(8);

/** Resolves with the answer to this request: the topic may bring late ones to others. */
function answerTo(client: MqttClient): Promise<string> {
  return new Promise((resolve) => {
    client.on('message', (_topic, answer, { properties }) => {
      if (properties?.correlationData?.equals(correlationData) === true) resolve(answer.toString());
    });
  });
}

async function ask(): Promise<string> {
  const client = await connectAsync(url, {
    protocolVersion: 5,
    clientId,
    // Should the connection break, the answer waits in the session.
    clean: false,
    properties: { sessionExpiryInterval: LIMIT_SECONDS },
  });
  client.on('error', (error) => console.error(`connection: ${error.message}`));
  const answer = answerTo(client);
  await client.subscribeAsync(responseTopic, { qos: 1 });
  await client.publishAsync(`$queue/${queue}`, payload, {
    qos: 1,
    properties: { responseTopic, correlationData, messageExpiryInterval: LIMIT_SECONDS },
  });
  const text = await answer;
  await client.endAsync();
  return text;
}

setTimeout(() => {
  console.error(`no answer within ${LIMIT_SECONDS} s`);
  process.exit(1);
}, LIMIT_SECONDS * 1000).unref();
console.log(await ask());
