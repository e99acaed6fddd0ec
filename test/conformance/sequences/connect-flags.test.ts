import { frame, section, text, u16 } from '../../robustness/support/packets.js';
import type { RawClient } from '../../support/raw-client.js';
import type { TestBroker } from '../../support/test-broker.js';
import { sequence } from '../sequence.js';

const WILL = 0x04;
const USER_NAME = 0x80;
const PASSWORD = 0x40;
const EITHER = {
  4: ['3-', '11+', '11-', '13+', '13-', '14+', '14-', '15+', '15-', '18+', '19+', '20+', '21+', '22+', '22-'],
  5: ['3+', '3-', '11+', '11-', '12+', '12-', '13+', '13-', '16+', '17+', '18+', '19+'],
} as const;

sequence(
  {
    versions: [4, 5],
    shows: { 4: claims(EITHER[4], 'MQTT-3.1.2-3+'), 5: claims(EITHER[5]) },
    title: 'each of the 256 values of the connect flags is taken or refused as the specification says',
  },
  async ({ test, version }) => {
    for (let flags = 0; flags < 256; flags++) {
      await expectAnswer(test, version, flags, payloadOf(version, flags), isAllowed(version, flags));
    }
  },
);

sequence(
  {
    versions: [4, 5],
    shows: {
      4: claims(['9-', '11-', '18-', '19-', '20-', '21-'], 'MQTT-3.1.4-1-'),
      5: claims(['9-', '16-', '17-', '18-', '19-'], 'MQTT-3.1.4-1-'),
    },
    title: 'fields that the flags do not announce, and announced fields that are missing, refuse CONNECT',
  },
  async ({ test, version }) => {
    for (let flags = 0; flags < 256; flags++) {
      if (!isAllowed(version, flags)) continue;
      for (const field of [WILL, USER_NAME, PASSWORD]) {
        await expectAnswer(test, version, flags, payloadOf(version, flags ^ field), false);
      }
    }
  },
);

function claims(numbers: readonly string[], ...others: string[]): string[] {
  return [...numbers.map((number) => `MQTT-3.1.2-${number}`), ...others];
}

function isAllowed(version: 4 | 5, flags: number): boolean {
  const willQos = (flags >> 3) & 3;
  if ((flags & 0x01) !== 0 || willQos === 3) return false;
  if ((flags & WILL) === 0 && (flags & 0x38) !== 0) return false;
  // MQTT 5 lets a password stand alone.
  return version === 5 || (flags & PASSWORD) === 0 || (flags & USER_NAME) !== 0;
}

/** Lengths of which no two together are taken for a third. */
function payloadOf(version: 4 | 5, flags: number): Buffer {
  const parts = [text('c')];
  if ((flags & WILL) !== 0) parts.push(...(version === 5 ? [section()] : []), text('w'), text('gone'));
  if ((flags & USER_NAME) !== 0) parts.push(text('user'));
  if ((flags & PASSWORD) !== 0) parts.push(text('password'));
  return Buffer.concat(parts);
}

async function expectAnswer(
  test: TestBroker,
  version: 4 | 5,
  flags: number,
  payload: Buffer,
  isAccepted: boolean,
): Promise<void> {
  const client = await test.open(version);
  const properties = version === 5 ? section() : Buffer.alloc(0);
  client.sendBytes(frame(0x10, text('MQTT'), Buffer.from([version, flags]), u16(0), properties, payload));
  try {
    if (isAccepted) await expectAccepted(client);
    else await expectMalformed(client);
  } catch (error) {
    throw new Error(`flags 0x${flags.toString(16)}, payload ${payload.toString('hex')}`, { cause: error });
  }
}

async function expectAccepted(client: RawClient): Promise<void> {
  const connack = await client.expectPacket('connack');
  if ((connack.reasonCode ?? connack.returnCode) !== 0) throw new Error(`refused: ${JSON.stringify(connack)}`);
  await client.disconnect();
}

async function expectMalformed(client: RawClient): Promise<void> {
  if (client.version === 5) {
    const { reasonCode } = await client.expectPacket('connack');
    if (reasonCode !== 0x81) throw new Error(`answered with ${reasonCode}`);
  }
  await client.expectClosed();
}
