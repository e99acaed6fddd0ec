// `helm test`: the broker says that it is ready, and speaks MQTT 5 if `tcp` is open and without TLS. Whether this client
// may connect is not its matter.
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const { BROKER_HOST = '127.0.0.1', HEALTH_SCHEME = 'http', HTTP_PORT = '8080', MQTT_PORT } = process.env;
const deadline = Date.now() + 60_000;

/** By its address, which every http.allowedHosts lets pass. */
async function askHealth() {
  try {
    const { address, family } = await lookup(BROKER_HOST);
    const host = family === 6 ? `[${address}]` : address;
    const response = await fetch(`${HEALTH_SCHEME}://${host}:${HTTP_PORT}/health/ready`);
    return { isReady: response.ok, text: (await response.text()).trim() };
  } catch (error) {
    return { isReady: false, text: String(error.cause ?? error) };
  }
}

async function becomesReady() {
  for (;;) {
    const answer = await askHealth();
    console.log(`health: ${answer.text}`);
    if (answer.isReady) return;
    if (Date.now() > deadline) throw new Error('the broker did not become ready');
    await pause(1000);
  }
}

/** CONNECT of MQTT 5 with clean start and a client id of the broker's choice, and the first bytes of the answer. */
async function speaksMqtt(port) {
  const socket = connect(port, BROKER_HOST);
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer to CONNECT')));
  socket.write(Buffer.from('100d00044d5154540502003c000000', 'hex'));
  const [answer] = await once(socket, 'data');
  socket.destroy();
  if (answer[0] !== 0x20) throw new Error(`expected CONNACK, got ${answer.toString('hex')}`);
  console.log(`mqtt: CONNACK with reason code 0x${answer[3].toString(16).padStart(2, '0')}`);
}

await becomesReady();
if (MQTT_PORT) await speaksMqtt(Number(MQTT_PORT));
