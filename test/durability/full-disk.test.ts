/**
 * The disk fills up while messages are stored: no success is acknowledged that is not kept, the broker lives on and says
 * no, and takes messages again when there is room.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { type OfflinePublisher, OfflineSession } from './support/offline-session.js';
import { figure, titleOf } from './support/settings.js';
import { SMALL_DISK_OBSTACLE, SmallDisk } from './support/small-disk.js';

const QUOTA_EXCEEDED = 0x97;
const DISK_MEGABYTES = 48;
const BALLAST_MEGABYTES = 32;
/** More than fits: the disk is full long before they are all sent. */
const ENDLESS = 100_000;
const BYTES = 4000;

let disk: SmallDisk | undefined;
let broker: BrokerProcess | undefined;

afterEach(async () => {
  await broker?.kill();
  disk?.[Symbol.dispose]();
});

class Run {
  readonly session = new OfflineSession();
  readonly newOnes: readonly OfflinePublisher[];
  readonly oldOne: OfflinePublisher;

  constructor() {
    const common = { window: 10, bytes: BYTES } as const;
    this.newOnes = ([1, 2] as const).map((qos) =>
      this.session.publisher({ clientId: `new-${qos}`, version: 5, qos, ...common }),
    );
    this.oldOne = this.session.publisher({ clientId: 'old', version: 4, qos: 1, ...common });
  }

  /** Fills the disk, until everybody has been refused in the way of his protocol version. */
  async fill(port: number): Promise<void> {
    const { changes } = this.session;
    await this.session.subscribe(port);
    for (const publisher of [...this.newOnes, this.oldOne]) {
      await publisher.client.connect(port);
      publisher.send(ENDLESS);
    }
    await changes.until(
      () => this.newOnes.every(({ refusals }) => refusals.length >= 20),
      () => `refusals; there are ${this.newOnes.map(({ refusals }) => refusals.length).join(' and ')}`,
    );
    for (const publisher of this.newOnes) publisher.halt();
    // It is held, and after a while disconnected: MQTT 3 has no other way to say no.
    this.oldOne.client.expectLoss();
    this.oldOne.halt();
    await changes.until(
      () => this.newOnes.every(({ client }) => client.underWay === 0) && this.oldOne.client.isClosed,
      () => 'the MQTT 3 publisher to be disconnected, and the last answers to the others',
    );
    expect(this.oldOne.client.underWay).toBeGreaterThan(0);
    expect(new Set(this.newOnes.flatMap(({ refusals }) => refusals))).toEqual(new Set([QUOTA_EXCEEDED]));
    figure('full', JSON.stringify(this.session.ledger.totals()));
  }

  /** Every publisher gets a message through, the MQTT 3 one what it could not before. */
  async goOn(port: number): Promise<void> {
    for (const publisher of this.newOnes) {
      if (!publisher.client.isConnected) await publisher.client.connect(port);
      await publisher.publishUntilTaken();
    }
    await this.oldOne.client.connect(port);
    await this.session.changes.until(
      () => this.oldOne.client.underWay === 0,
      () => 'the messages of the MQTT 3 publisher to be taken',
    );
  }

  /** Nothing that was acknowledged is missing, nothing that was refused has come. */
  async check(port: number): Promise<void> {
    await this.session.fetch(port);
    await this.session.leave();
    figure('checked', JSON.stringify(this.session.ledger.totals()));
    expect(this.session.findings()).toEqual([]);
    expect(this.session.ledger.totals().acknowledged).toBeGreaterThan(1000);
  }

  expectLoss(): void {
    for (const { client } of [...this.newOnes, this.oldOne]) client.expectLoss();
  }
}

async function start(mounted: SmallDisk, minimumFree: string): Promise<BrokerProcess> {
  broker = await BrokerProcess.start({
    dataDirectory: mounted.directory,
    environment: { MILLRACE__STORAGE__MIN_FREE: minimumFree, MILLRACE__STORAGE__FAILURE_TIMEOUT: '1s' },
  });
  return broker;
}

/** Noticed before the last byte, by the free space; and not before a write fails. */
const LIMITS = [
  ['the limit of free space', '8MiB'],
  ['the last byte', '0B'],
] as const;

describe.skipIf(SMALL_DISK_OBSTACLE !== undefined)(titleOf('a full disk', SMALL_DISK_OBSTACLE), () => {
  it.each(LIMITS)('up to %s: messages are refused, then taken again when there is room', async (_, minimumFree) => {
    disk = new SmallDisk(DISK_MEGABYTES, BALLAST_MEGABYTES);
    const run = new Run();
    const { port } = await start(disk, minimumFree);
    await run.fill(port);
    disk.makeRoom();
    await run.goOn(port);
    await run.check(port);
    expect(broker?.hasExited).toBe(false);
  });

  it('makes room for itself when a session fetches what has gathered', async () => {
    disk = new SmallDisk(DISK_MEGABYTES, BALLAST_MEGABYTES);
    const run = new Run();
    const { port } = await start(disk, '8MiB');
    await run.fill(port);
    await run.session.fetchWithoutEnd(port);
    await run.goOn(port);
    await run.session.leave();
    await run.check(port);
  });

  it.each(LIMITS)(
    'up to %s, and then kill -9: what was acknowledged is there after a start with room',
    async (_, minimumFree) => {
      disk = new SmallDisk(DISK_MEGABYTES, BALLAST_MEGABYTES);
      const run = new Run();
      const { port } = await start(disk, minimumFree);
      await run.fill(port);
      run.expectLoss();
      await broker?.kill();
      disk.makeRoom();
      const { port: newPort } = await start(disk, minimumFree);
      await run.goOn(newPort);
      await run.check(newPort);
    },
  );
});
