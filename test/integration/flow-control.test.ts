import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { TestBroker } from '../support/test-broker.js';

const VERSIONS = [4, 5] as const;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Lets the event loop turn until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  const endsAt = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > endsAt) throw new Error(`never came true: ${condition}`);
    await new Promise(setImmediate);
  }
}

async function expectNumbers(client: RawClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const packet = await client.expectPacket('publish');
    const number = packet.payload.toString().slice(0, 8);
    if (Number(number) !== i) expect(number).toBe(i);
  }
}

function numbered(i: number, size: number): Buffer {
  const payload = Buffer.alloc(size, 0x2e);
  payload.write(String(i).padStart(8, '0'));
  return payload;
}

describe.each(VERSIONS)('a subscriber that stops reading, MQTT %i', (version) => {
  it('slows nobody down beyond the grace, is closed at the hard limit, and costs no more memory than that', async () => {
    const hardLimit = 2 * 1024 * 1024;
    const limits = { outboundSoftLimitBytes: 256 * 1024, outboundHardLimitBytes: hardLimit };
    const test = await TestBroker.start({ limits });
    const slow = await test.connect('slow', { version });
    const fast = await test.connect('fast', { version });
    await slow.subscribe('t');
    await fast.subscribe('t');
    slow.pauseReading();
    const publisher = await test.connect('p', { version });
    const total = 4000;
    let peakBytes = 0;
    collectGarbage();
    const bytesBefore = process.memoryUsage().external;
    const ticking = setInterval(() => test.clock.advance(100), 1);
    const received = expectNumbers(fast, total);
    for (let i = 0; i < total; i++) {
      publisher.send(publishPacket('t', numbered(i, 10_000)));
      if (i % 100 !== 0) continue;
      await publisher.barrier();
      collectGarbage();
      peakBytes = Math.max(peakBytes, process.memoryUsage().external - bytesBefore);
    }
    await received;
    clearInterval(ticking);
    expect(test.broker.metrics.closesOf('slow-consumer')).toBe(1);
    expect(test.broker.drops.of('slow-consumer')).toBeGreaterThan(0);
    expect(test.broker.connectionCount).toBe(2);
    // 40 MB went through; both ends of every connection live in this process.
    expect(peakBytes).toBeLessThan(4 * hardLimit);
  });

  it('for a short while only, loses nothing at QoS 0: its publishers are held and released', async () => {
    const limits = { outboundSoftLimitBytes: 256 * 1024, outboundHardLimitBytes: 2 * 1024 * 1024 };
    const test = await TestBroker.start({ limits });
    const slow = await test.connect('slow', { version });
    await slow.subscribe('t');
    slow.pauseReading();
    const publisher = await test.connect('p', { version });
    const total = 2000;
    publisher.sendTogether(Array.from({ length: total }, (_, i) => publishPacket('t', numbered(i, 10_000))));
    await until(() => test.broker.metrics.publishersHeld > 0);
    slow.resumeReading();
    await expectNumbers(slow, total);
    expect(test.broker.drops.total).toBe(0);
    expect(test.broker.metrics.closesOf('slow-consumer')).toBe(0);
    await publisher.expectNothing();
  });

  it('does not lose QoS 1 beyond its window, and takes it up again', async () => {
    const limits = { outboundSoftLimitBytes: 128 * 1024, maximumInflight: 100 };
    const test = await TestBroker.start({ limits });
    const slow = await test.connect('slow', { version });
    await slow.subscribe('t', 1);
    slow.acknowledgesByItself = true;
    slow.pauseReading();
    const publisher = await test.connect('p', { version });
    publisher.acknowledgesByItself = true;
    const total = 3000;
    publisher.sendTogether(
      Array.from({ length: total }, (_, i) => publishPacket('t', numbered(i, 2000), { qos: 1, messageId: i + 1 })),
    );
    await publisher.expectPackets('puback', version === 5 ? 1000 : total);
    slow.resumeReading();
    await expectNumbers(slow, total);
    expect(test.broker.drops.total).toBe(0);
  });
});

describe.each(VERSIONS)('QoS 1 from many publishers to one subscriber, MQTT %i', (version) => {
  it.each([
    ['messages', { maximumInflight: 50, queueMaximumMessages: 200 }],
    ['bytes', { maximumInflight: 50, queueMaximumBytes: 200_000 }],
  ])('loses nothing beyond the window, with a queue bounded in %s', async (_name, limits) => {
    const test = await TestBroker.start({ limits });
    const subscriber = await test.connect('s', { version });
    await subscriber.subscribe('t/#', 1);
    subscriber.acknowledgesByItself = true;
    const publishers = await Promise.all(Array.from({ length: 20 }, (_, i) => test.connect(`p${i}`, { version })));
    publishers.forEach((publisher, n) => {
      publisher.sendTogether(
        Array.from({ length: 500 }, (_, i) => publishPacket(`t/${n}`, numbered(i, 1000), { qos: 1, messageId: i + 1 })),
      );
    });
    const nextOf = new Map<string, number>();
    for (let received = 0; received < 10_000; received++) {
      const { topic, payload } = await subscriber.expectPacket('publish');
      const next = nextOf.get(topic) ?? 0;
      if (Number(payload.toString().slice(0, 8)) !== next) expect(payload.toString().slice(0, 8)).toBe(next);
      nextOf.set(topic, next + 1);
    }
    for (const publisher of publishers) await publisher.expectPackets('puback', 500);
    expect(test.broker.drops.total).toBe(0);
  });
});

describe('a publisher that is its own subscriber', () => {
  it('is not held for ever', async () => {
    const test = await TestBroker.start({ limits: { maximumInflight: 10, queueMaximumMessages: 40 } });
    const client = await test.connect('c');
    await client.subscribe('t', 1);
    client.acknowledgesByItself = true;
    for (let i = 0; i < 200; i++) client.send(publishPacket('t', String(i), { qos: 1, messageId: i + 1 }));
    const ticking = setInterval(() => test.clock.advance(100), 1);
    let pubacks = 0;
    while (pubacks < 200) if ((await client.expectAny()).cmd === 'puback') pubacks++;
    clearInterval(ticking);
    await client.barrier();
  });
});

describe('order', () => {
  it('holds when messages overflow from the window to the queue and back', async () => {
    const test = await TestBroker.start({ limits: { maximumInflight: 7 } });
    const subscriber = await test.connect('s');
    await subscriber.subscribe('t', 1);
    const publisher = await test.connect('p');
    const received: number[] = [];
    const unacknowledged: number[] = [];
    let sent = 0;
    let seed = 42;
    const random = (limit: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % limit;
    };
    while (received.length < 500) {
      for (let n = random(12); n > 0 && sent < 500; n--) {
        publisher.send(publishPacket('t', String(sent++), { qos: 1, messageId: (sent % 60_000) + 1 }));
        await publisher.expectPacket('puback');
      }
      await subscriber.barrier();
      for (const packet of subscriber.takeAll()) {
        if (packet.cmd !== 'publish') continue;
        received.push(Number(packet.payload.toString()));
        unacknowledged.push(packet.messageId ?? 0);
      }
      for (let n = random(7) + 1; n > 0 && unacknowledged.length > 0; n--) {
        const [messageId] = unacknowledged.splice(random(unacknowledged.length), 1);
        subscriber.send({ cmd: 'puback', messageId: messageId ?? 0 });
      }
    }
    expect(received).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });
});
