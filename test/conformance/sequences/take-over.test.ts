import { persistent } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

sequence(
  {
    versions: [4, 5],
    shows: { 4: ['MQTT-3.1.4-2+', 'MQTT-3.1.3-2+'], 5: ['MQTT-3.1.4-3+', 'MQTT-3.1.3-2+'] },
    title: 'a client identifier that connects again takes the connection over, and its session with it',
  },
  async ({ test, version }) => {
    const older = await test.connect('c', persistent(version));
    await older.subscribe('t');
    const { client: younger, connack } = await test.connectFully('c', persistent(version));
    await older.expectDisconnect(0x8e);
    if (!connack.sessionPresent) throw new Error('the session was not present');
    test.broker.publish({ topic: 't', payload: 'x' });
    await younger.expectPacket('publish');
    await younger.expectNothing();
  },
);
