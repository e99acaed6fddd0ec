import { describe, expect, it } from 'vitest';
import type { BrokerContext } from '../../../src/broker/broker-context.js';
import { DEFAULT_LIMITS } from '../../../src/broker/broker-options.js';
import { OutboundFlow, type SuppliedConnection } from '../../../src/broker/outbound-flow.js';
import type { QueueConsumers } from '../../../src/broker/queue-consumers.js';
import type { RetainedReplays } from '../../../src/broker/retained-replays.js';
import { Publication } from '../../../src/core/publication.js';
import { TimingWheel } from '../../../src/core/timing-wheel.js';
import type { Session } from '../../../src/sessions/session.js';
import { FlushQueue } from '../../../src/transport/flush-queue.js';
import { OutboundBuffer } from '../../../src/transport/outbound-buffer.js';
import { FakeChannel } from '../../support/fake-channel.js';
import { ManualClock } from '../../support/manual-clock.js';

const GRACE_MS = 200;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = new ManualClock();
  const wheel = new TimingWheel(clock);
  const channel = new FakeChannel();
  const flushQueue = new FlushQueue();
  const outbound = new OutboundBuffer(channel, flushQueue);
  const limits = {
    ...DEFAULT_LIMITS,
    outboundSoftLimitBytes: 1000,
    outboundHardLimitBytes: 5000,
    maximumPacketSize: 2000,
    slowConsumerGraceMs: GRACE_MS,
    outboundTotalLimitBytes: 1_000_000,
  };
  const gated = new Set<unknown>();
  // The fields of the context that a flow uses.
  const context = { wheel, limits, flushQueue, gated } as unknown as BrokerContext;
  const sent: string[] = [];
  const closed: string[] = [];
  const session = {
    isCongested: false,
    canTakeMore: true,
    pump: () => {
      sent.push('session');
    },
  };
  let slices = 0;
  const replays = {
    advance: () => {
      sent.push('replay');
      slices--;
    },
  } as unknown as RetainedReplays;
  const consumers = { pump: () => sent.push('queues') } as unknown as QueueConsumers;
  const connection = {
    gatedAt: -1,
    clientInfo: null,
    isClosed: false,
    isConnackDue: false,
    isOwedAnswers: false,
    queueConsumers: null as QueueConsumers | null,
    get replays() {
      return slices > 0 ? replays : null;
    },
    close: (reason: string) => {
      connection.isClosed = true;
      closed.push(reason);
    },
    onSettled: () => {},
    onRulesChanged: () => {},
    endIfWithdrawn: () => false,
  };
  const supplied: SuppliedConnection = connection;
  const flow = new OutboundFlow(context, channel, outbound, session as unknown as Session, supplied);
  const gather = (bytes: number) => outbound.append(Buffer.alloc(bytes), 0, bytes);
  const replaySlices = (count: number) => {
    slices = count;
  };
  const released: string[] = [];
  const publisher = (name: string) => ({
    onReleased: (inVain: boolean) => {
      released.push(inVain ? `${name} in vain` : name);
    },
  });
  const congest = () => {
    const publication = new Publication();
    flow.onCongested(publication);
    return publication.congested;
  };
  return {
    clock,
    channel,
    outbound,
    limits,
    gated,
    sent,
    closed,
    session,
    connection,
    flow,
    gather,
    replaySlices,
    consumers,
    publisher,
    released,
    congest,
  };
}

describe('OutboundFlow', () => {
  it('sends what the session holds, then of work queues, then retained messages', () => {
    const { flow, connection, sent, consumers, replaySlices } = setUp();
    connection.queueConsumers = consumers;
    replaySlices(1);
    flow.advance();
    expect(sent).toEqual(['session', 'queues', 'replay']);
  });

  it('takes nothing from work queues before CONNACK has left [MQTT-3.2.0-1]', () => {
    const { flow, connection, sent, consumers } = setUp();
    connection.queueConsumers = consumers;
    connection.isConnackDue = true;
    flow.advance();
    expect(sent).toEqual(['session']);
  });

  it('sends one slice of retained messages in a turn', async () => {
    const { flow, sent, replaySlices } = setUp();
    replaySlices(3);
    flow.advance();
    flow.advance();
    const slices = () => sent.filter((what) => what === 'replay').length;
    expect(slices()).toBe(1);
    await nextTurn();
    expect(slices()).toBe(2);
    await nextTurn();
    expect(slices()).toBe(3);
    const calls = sent.length;
    await nextTurn();
    expect(sent).toHaveLength(calls);
  });

  it('sends no further slice on its own to a client that takes no more', async () => {
    const { flow, session, sent, replaySlices } = setUp();
    session.canTakeMore = false;
    replaySlices(3);
    flow.advance();
    await nextTurn();
    expect(sent).toEqual(['session', 'replay']);
  });

  it('has publishers wait until the client has caught up', () => {
    const { flow, outbound, channel, gather, congest, publisher, released } = setUp();
    gather(1500);
    channel.mustWait = true;
    expect(congest()).toBe(flow);
    expect(flow.hold(publisher('a'))).toBe(true);
    flow.advance();
    expect(released).toEqual([]);
    channel.mustWait = false;
    outbound.flush();
    flow.advance();
    expect(released).toEqual(['a']);
    expect(flow.hasCaughtUp).toBe(true);
  });

  it('keeps them waiting while the session is behind', () => {
    const { flow, session, congest, publisher, released } = setUp();
    session.isCongested = true;
    congest();
    flow.hold(publisher('a'));
    flow.advance();
    expect(released).toEqual([]);
    session.isCongested = false;
    flow.advance();
    expect(released).toEqual(['a']);
  });

  it('looks again in the next turn when the buffer is full only until then', async () => {
    const { flow, gather, congest, publisher, released } = setUp();
    gather(1500);
    congest();
    flow.hold(publisher('a'));
    await nextTurn();
    await nextTurn();
    expect(released).toEqual(['a']);
  });

  it('has nobody wait for a client that has stalled, and closes it when there is too much for all', () => {
    const { clock, channel, flow, limits, gather, congest, publisher, released, closed } = setUp();
    gather(1500);
    channel.mustWait = true;
    congest();
    flow.hold(publisher('a'));
    clock.advance(GRACE_MS * 2);
    expect(released).toEqual(['a in vain']);
    expect(congest()).toBeNull();
    expect(flow.hold(publisher('b'))).toBe(false);
    expect(closed).toEqual([]);
    limits.outboundTotalLimitBytes = -1;
    congest();
    expect(closed).toEqual(['slow-consumer']);
  });

  it('closes a client for which more gathers than the hard limit and one packet', () => {
    const { flow, gather, sent, closed } = setUp();
    gather(7000);
    flow.advance();
    expect(closed).toEqual([]);
    gather(1);
    flow.advance();
    expect(closed).toEqual(['slow-consumer']);
    const calls = sent.length;
    flow.advance();
    expect(sent).toHaveLength(calls);
  });

  it('goes on when the rate of the client allows it, unless it has ended', () => {
    const { clock, flow, sent } = setUp();
    flow.onPaced(100);
    clock.advance(50);
    expect(sent).toEqual([]);
    clock.advance(100);
    expect(sent).toEqual(['session']);
    flow.onPaced(100);
    flow.stop();
    clock.advance(1000);
    expect(sent).toEqual(['session']);
  });

  it('lets publishers go when the connection ends', () => {
    const { flow, session, congest, publisher, released } = setUp();
    session.isCongested = true;
    congest();
    flow.hold(publisher('a'));
    flow.stop();
    expect(released).toEqual(['a']);
  });

  it('lists the connection while its session waits for the journal', () => {
    const { flow, gated, connection } = setUp();
    flow.onAwaitingCommit();
    expect([...gated]).toEqual([connection]);
  });
});
