import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../../src/transport/address-table.js';
import { Admission, type AdmissionLimits, type ConnectionGate } from '../../../src/transport/admission.js';
import { ManualClock } from '../../support/manual-clock.js';

const logger = pino({ level: 'silent' });

class World {
  readonly clock = new ManualClock();
  readonly admission: Admission;
  accepted = 0;

  constructor(limits: AdmissionLimits, gate?: ConnectionGate) {
    this.admission = new Admission('tcp', limits, {
      clock: this.clock,
      logger,
      onAccepted: () => this.accepted++,
      ...(gate === undefined ? {} : { gate }),
    });
  }

  /** @returns the socket if it was let in, or why it was not */
  enter(address: string): Socket | string {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }) as Socket;
    if (!this.admission.admit(socket)) return 'turned away';
    return this.admission.admitClient(socket, address) ?? socket;
  }
}

async function leave(socket: Socket | string): Promise<void> {
  if (typeof socket === 'string') throw new Error(`it was not let in: ${socket}`);
  socket.destroy();
  await new Promise((resolve) => socket.once('close', resolve));
}

describe('accepted sockets', () => {
  it('are told of, whether they are let in or not', () => {
    const world = new World({ maxConnections: 1 });
    expect(world.enter('10.0.0.1')).toBeInstanceOf(Duplex);
    expect(world.enter('10.0.0.2')).toBe('turned away');
    expect(world.accepted).toBe(2);
  });
});

describe('connections of one address', () => {
  it('are as many as allowed, and others are not touched by that', async () => {
    const world = new World({ maxConnectionsPerAddress: 2 });
    const enter = (address: string) => world.enter(address);
    const first = enter('10.0.0.1');
    enter('10.0.0.1');
    expect(enter('10.0.0.1')).toBe('address-full');
    expect(enter('10.0.0.2')).toBeInstanceOf(Duplex);
    await leave(first);
    expect(enter('10.0.0.1')).toBeInstanceOf(Duplex);
    expect(world.admission.refusals.get('address-full')).toBe(1);
  });

  it('are those of a whole /64 of IPv6, and of an IPv4 address in either form', () => {
    const world = new World({ maxConnectionsPerAddress: 1 });
    world.enter('2001:db8:0:1::1');
    expect(world.enter('2001:db8:0:1:ffff::2')).toBe('address-full');
    expect(world.enter('2001:db8:0:2::1')).toBeInstanceOf(Duplex);
    world.enter('10.0.0.1');
    expect(world.enter('::ffff:10.0.0.1')).toBe('address-full');
  });

  it('come as fast as allowed, with a burst', () => {
    const world = new World({ connectRatePerAddress: 2, connectBurstPerAddress: 3 });
    const outcomes = () => Array.from({ length: 4 }, () => typeof world.enter('10.0.0.1') !== 'string');
    expect(outcomes()).toEqual([true, true, true, false]);
    world.clock.advance(1000);
    expect(outcomes()).toEqual([true, true, false, false]);
    world.clock.advance(60_000);
    expect(outcomes()).toEqual([true, true, true, false]);
  });
});

describe('connections of a listener', () => {
  it('come as fast as allowed, and one address alone does not use that up', () => {
    const world = new World({ connectRate: 3, connectRatePerAddress: 2 });
    const outcomes = ['1', '1', '1', '1', '2', '3'].map((last) => world.enter(`10.0.0.${last}`));
    expect(outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : ''))).toEqual([
      '',
      '',
      'address-rate',
      'address-rate',
      '',
      'listener-rate',
    ]);
  });

  it('are let in by who knows of bans and of overload', () => {
    const gate = { isClosed: false, isBanned: (address: string) => address === '10.0.0.1' };
    const world = new World({}, gate);
    expect(world.enter('10.0.0.1')).toBe('address-banned');
    expect(world.enter('10.0.0.2')).toBeInstanceOf(Duplex);
    gate.isClosed = true;
    expect(world.enter('10.0.0.2')).toBe('turned away');
    expect(world.admission.refusals.get('overloaded')).toBe(1);
    expect(world.admission.refused).toBe(2);
  });
});

describe('the table of addresses', () => {
  const limits = { maximum: 10, rate: 1, burst: 2 };

  it('is bounded, however many addresses there are', () => {
    const table = new AddressTable(limits);
    for (let i = 0; i < 200_000; i++) {
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      const entered = table.enter(address, 0);
      if (typeof entered !== 'string') table.leave(entered, 0);
    }
    expect(table.size).toBeLessThanOrEqual(65_536);
  });

  it('forgets at once who has left and counts for nothing', () => {
    const table = new AddressTable({ ...limits, rate: 0 });
    const entered = table.enter('10.0.0.1', 0);
    expect(table.size).toBe(1);
    if (typeof entered !== 'string') table.leave(entered, 0);
    expect(table.size).toBe(0);
  });

  it('remembers who was just refused', () => {
    const table = new AddressTable(limits);
    for (let i = 0; i < 2; i++) {
      const entered = table.enter('10.0.0.1', 0);
      if (typeof entered !== 'string') table.leave(entered, 0);
    }
    expect(table.enter('10.0.0.1', 0)).toBe('address-rate');
    expect(table.enter('10.0.0.1', 500)).toBe('address-rate');
    expect(table.enter('10.0.0.1', 1000)).toMatchObject({ open: 1 });
  });
});
