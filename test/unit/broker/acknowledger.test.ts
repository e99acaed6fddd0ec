import { describe, expect, it } from 'vitest';
import { Acknowledger } from '../../../src/broker/acknowledger.js';
import type { BrokerContext } from '../../../src/broker/broker-context.js';
import { BrokerMetrics } from '../../../src/broker/broker-metrics.js';
import { PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK } from '../../../src/codec/packet-type.js';
import { FlushQueue } from '../../../src/transport/flush-queue.js';
import { OutboundBuffer } from '../../../src/transport/outbound-buffer.js';
import { DelayedJournal } from '../../support/delayed-journal.js';
import { FakeChannel } from '../../support/fake-channel.js';

function setUp(isVersion5 = true) {
  const journal = new DelayedJournal();
  const metrics = new BrokerMetrics();
  const channel = new FakeChannel();
  const outbound = new OutboundBuffer(channel, new FlushQueue());
  let waits = 0;
  // The two fields of the context that an Acknowledger uses.
  const context = { journal, metrics } as unknown as BrokerContext;
  const acknowledger = new Acknowledger(context, outbound, isVersion5, {
    onAnswerWaiting: () => {
      waits++;
    },
  });
  const ticket = () => journal.willRemoved('x');
  const settle = (upTo?: number) => {
    journal.settle(upTo);
    acknowledger.onSettled();
  };
  const sent = () => {
    outbound.flush();
    const bytes = [...channel.receivedBytes];
    channel.received.length = 0;
    return bytes;
  };
  return { acknowledger, ticket, settle, sent, waits: () => waits, metrics };
}

describe('Acknowledger', () => {
  it('answers at once what waits for nothing', () => {
    const { acknowledger, sent, waits, metrics } = setUp();
    acknowledger.acknowledge(0, PUBACK, 0x0102, 0);
    acknowledger.acknowledge(0, PUBREL, 3, 0);
    acknowledger.acknowledge(0, PUBREC, 4, 0x87);
    expect(sent()).toEqual([0x40, 2, 1, 2, 0x62, 2, 0, 3, 0x50, 3, 0, 4, 0x87]);
    expect(waits()).toBe(0);
    expect(metrics.packetsSent[PUBACK]).toBe(1);
  });

  it('tells MQTT 3 no reason', () => {
    const { acknowledger, sent } = setUp(false);
    acknowledger.acknowledge(0, PUBACK, 1, 0x87);
    expect(sent()).toEqual([0x40, 2, 0, 1]);
  });

  it('waits for the ticket, and lets nothing pass what waits', () => {
    const { acknowledger, ticket, settle, sent } = setUp();
    const first = ticket();
    acknowledger.acknowledge(first, PUBACK, 1, 0);
    acknowledger.acknowledge(0, PUBACK, 2, 0);
    acknowledger.acknowledge(ticket(), PUBCOMP, 3, 0);
    acknowledger.send(0, SUBACK, Buffer.from([0x90, 0]));
    expect(sent()).toEqual([]);
    expect(acknowledger.waitingCount).toBe(4);
    settle(first);
    expect(sent()).toEqual([0x40, 2, 0, 1, 0x40, 2, 0, 2]);
    expect(acknowledger.waitingCount).toBe(2);
    settle();
    expect(sent()).toEqual([0x70, 2, 0, 3, 0x90, 0]);
    acknowledger.acknowledge(0, PUBACK, 9, 0);
    expect(sent()).toEqual([0x40, 2, 0, 9]);
  });

  it('counts the publishes that end with what waits', () => {
    const { acknowledger, ticket, settle } = setUp();
    acknowledger.acknowledge(ticket(), PUBACK, 1, 0);
    acknowledger.acknowledge(0, PUBREC, 2, 0);
    acknowledger.acknowledge(0, PUBREC, 3, 0x97);
    acknowledger.acknowledge(0, PUBCOMP, 4, 0);
    acknowledger.acknowledge(0, PUBCOMP, 5, 0x92);
    acknowledger.send(0, SUBACK, Buffer.alloc(2));
    expect([acknowledger.waitingCount, acknowledger.waitingFinalCount]).toEqual([6, 3]);
    settle();
    expect([acknowledger.waitingCount, acknowledger.waitingFinalCount]).toEqual([0, 0]);
  });
});
