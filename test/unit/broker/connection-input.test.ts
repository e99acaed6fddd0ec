import { describe, expect, it } from 'vitest';
import type { BrokerContext } from '../../../src/broker/broker-context.js';
import { BrokerMetrics } from '../../../src/broker/broker-metrics.js';
import { ConnectionInput, type InputOwner } from '../../../src/broker/connection-input.js';
import { Hold } from '../../../src/broker/input-gate.js';
import { OversizedPacket, ProtocolViolation } from '../../../src/core/errors.js';
import { ReasonCode } from '../../../src/core/reason-code.js';
import { SlicedTasks } from '../../../src/core/sliced-tasks.js';
import { FakeChannel } from '../../support/fake-channel.js';
import { ManualClock } from '../../support/manual-clock.js';

const PUBLISH = 0x30;
const PINGREQ = Buffer.from([0xc0, 0]);
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A PUBLISH as far as the fixed header tells; its body is `length` bytes of `fill`. */
function packet(fill: number, length: number): Buffer {
  const remaining = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  if (length >= 128 * 128) remaining.splice(1, 1, ((length >> 7) & 0x7f) | 0x80, length >> 14);
  return Buffer.concat([Buffer.from([PUBLISH, ...remaining]), Buffer.alloc(length, fill)]);
}

function setUp() {
  const clock = new ManualClock();
  const channel = new FakeChannel();
  const metrics = new BrokerMetrics();
  const slicedTasks = new SlicedTasks(clock);
  const forget = () => {};
  // The fields of the context that input and gate use.
  const context = {
    clock,
    metrics,
    slicedTasks,
    storage: { forget },
    queueRoom: { forget },
  } as unknown as BrokerContext;
  const frames: Buffer[] = [];
  const errors: unknown[] = [];
  const told: string[] = [];
  const world = { maximumPacketSize: 1024 * 1024, onFrame: () => {} };
  const owner: InputOwner = {
    get maximumPacketSize() {
      return world.maximumPacketSize;
    },
    onFrame: (bytes, start, _bodyStart, end) => {
      frames.push(Buffer.from(bytes.subarray(start, end)));
      world.onFrame();
      return input.gate.isOpen;
    },
    onInputError: (error) => {
      errors.push(error);
      input.gate.close();
    },
    onInputHandled: () => {
      told.push('handled');
    },
    onDrain: () => {
      told.push('drained');
    },
    onChannelClosed: (reason) => {
      told.push(reason);
    },
    close: () => {},
  };
  const openings: Buffer[] = [];
  const opening = {
    onBytes: (chunk: Buffer) => {
      openings.push(chunk);
      return chunk[0] !== 0x47;
    },
  };
  const input: ConnectionInput = new ConnectionInput(context, channel, owner, opening);
  return { clock, channel, metrics, slicedTasks, input, frames, errors, told, openings, world };
}

describe('ConnectionInput', () => {
  it('hands packets on, counts their bytes, and says when all are handled', () => {
    const { input, frames, metrics, told } = setUp();
    input.onAccepted();
    input.onBytes(Buffer.concat([packet(1, 3), packet(2, 4), packet(3, 5).subarray(0, 2)]));
    expect(frames).toEqual([packet(1, 3), packet(2, 4)]);
    input.onBytes(packet(3, 5).subarray(2));
    expect(frames[2]).toEqual(packet(3, 5));
    expect(metrics.bytesReceived).toBe(5 + 6 + 7);
    expect(told).toEqual(['handled', 'handled']);
  });

  it('has the opening looked at until the client is accepted, and reads nothing that it turns away', () => {
    const { input, frames, openings } = setUp();
    input.onBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(frames).toEqual([]);
    input.onBytes(PINGREQ);
    expect(openings).toHaveLength(2);
    input.onAccepted();
    input.onBytes(PINGREQ);
    expect(openings).toHaveLength(2);
    expect(frames).toEqual([PINGREQ, PINGREQ]);
  });

  it('lets what comes before the client is accepted wait for its turn, in its order', async () => {
    const { clock, input, slicedTasks, frames } = setUp();
    expect(slicedTasks.takesNow).toBe(true);
    clock.advance(2); // This turn's slice is used up.
    input.onBytes(packet(1, 3));
    input.onSharedBytes(packet(2, 3));
    expect(frames).toEqual([]);
    expect(input.gate.isOpen).toBe(false);
    await nextTurn(); // The first one; the second follows when the gate has opened again.
    await nextTurn();
    expect(frames).toEqual([packet(1, 3), packet(2, 3)]);
    expect(input.gate.isOpen).toBe(true);
  });

  it('copies what has to wait for its turn out of memory that is read into again', async () => {
    const { clock, input, slicedTasks, frames } = setUp();
    expect(slicedTasks.takesNow).toBe(true);
    clock.advance(2);
    const shared = packet(7, 3);
    input.onSharedBytes(shared);
    shared.fill(0);
    await nextTurn();
    expect(frames).toEqual([packet(7, 3)]);
  });

  it('handles nothing of a connection that has ended before its turn', async () => {
    const { clock, input, slicedTasks, frames } = setUp();
    expect(slicedTasks.takesNow).toBe(true);
    clock.advance(2);
    input.onBytes(packet(1, 3));
    input.gate.close();
    await nextTurn();
    expect(frames).toEqual([]);
  });

  it('gives memory for a large packet only to who has been accepted', () => {
    const { input, frames } = setUp();
    const large = packet(9, 100_000);
    input.onBytes(large.subarray(0, 20_000));
    expect(input.room).toBeNull();
    input.onAccepted();
    const room = input.room as Buffer;
    const length = Math.min(room.length, large.length - 20_000);
    large.copy(room, 0, 20_000, 20_000 + length);
    input.onRoomFilled(length);
    input.onBytes(large.subarray(20_000 + length));
    expect(frames.map((frame) => frame.equals(large))).toEqual([true]);
  });

  it('asks for long reads only of an accepted client that sends nothing but large packets', () => {
    const { input } = setUp();
    const large = packet(9, 10_000);
    expect(input.takesLongReads).toBe(false);
    input.onAccepted();
    input.onSharedBytes(large);
    expect(input.takesLongReads).toBe(true);
    input.onSharedBytes(Buffer.concat([large, PINGREQ]));
    expect(input.takesLongReads).toBe(false);
  });

  it('hands nothing on while it is held, and goes on in a turn of its own', async () => {
    const { input, frames, world } = setUp();
    input.onAccepted();
    world.onFrame = () => input.gate.hold(Hold.Receiver);
    input.onBytes(Buffer.concat([packet(1, 1), packet(2, 1), packet(3, 1)]));
    expect(frames).toHaveLength(1);
    world.onFrame = () => {};
    input.gate.release(Hold.Receiver);
    expect(frames).toHaveLength(1);
    await nextTurn();
    expect(frames).toEqual([packet(1, 1), packet(2, 1), packet(3, 1)]);
  });

  it('handles what a client had sent before it closed in order, though it was made to wait', () => {
    const { input, frames, told, world } = setUp();
    input.onAccepted();
    world.onFrame = () => input.gate.hold(Hold.Receiver);
    input.onBytes(Buffer.concat([packet(1, 1), packet(2, 1), packet(3, 1)]));
    expect(frames).toHaveLength(1);
    input.onClose('ended');
    expect(frames).toHaveLength(3);
    expect(told.at(-1)).toBe('ended');
  });

  it.each([
    ['the connection broke', 'error', Hold.Receiver],
    ['it waits for its authentication', 'ended', Hold.Authentication],
  ] as const)('leaves what was held when %s', (_why, reason, cause) => {
    const { input, frames, told, world } = setUp();
    input.onAccepted();
    world.onFrame = () => input.gate.hold(cause);
    input.onBytes(Buffer.concat([packet(1, 1), packet(2, 1)]));
    input.onClose(reason);
    expect(frames).toHaveLength(1);
    expect(told.at(-1)).toBe(reason);
  });

  it('tells of a packet that is too large, and of one that cannot be handled', () => {
    const { input, errors, world } = setUp();
    world.maximumPacketSize = 100;
    input.onAccepted();
    input.onBytes(packet(1, 200));
    expect(errors[0]).toBeInstanceOf(OversizedPacket);

    const another = setUp();
    another.input.onAccepted();
    const violation = new ProtocolViolation(ReasonCode.ProtocolError, 'no');
    another.world.onFrame = () => {
      throw violation;
    };
    another.input.onBytes(packet(1, 3));
    expect(another.errors).toEqual([violation]);
    expect(another.told).toEqual(['handled']);
  });

  it('counts as heard whatever comes, and time in which it was not read', () => {
    const { clock, input } = setUp();
    input.onAccepted();
    clock.advance(1000);
    input.onBytes(PINGREQ);
    const heardAtMs = clock.now();
    clock.advance(500);
    expect(input.gate.heardAtMs(clock.now())).toBe(heardAtMs);
    input.gate.hold(Hold.Receiver);
    clock.advance(500);
    expect(input.gate.heardAtMs(clock.now())).toBe(clock.now());
  });
});
