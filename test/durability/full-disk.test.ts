/**
 * The disk fills up while messages are stored: no success is acknowledged that is not kept, the broker lives on and says
 * no, and takes messages again when there is room.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { type OfflinePublisher, OfflineSession } from './support/offline-session.js';
import { figure, IS_LONG, titleOf } from './support/settings.js';
import { SMALL_DISK_OBSTACLE, SmallDisk } from './support/small-disk.js';

const QUOTA_EXCEEDED = 0x97;

interface Limit {
  readonly name: string;
  readonly megabytes: number;
  readonly ballastMegabytes: number;
  readonly minimumFree: string;
}

/** Noticed by the free space, which the broker looks at every second: with room for more than what comes until then. */
const BY_FREE_SPACE: Limit = {
  name: 'the limit of free space',
  megabytes: 192,
  ballastMegabytes: 96,
  minimumFree: '64MiB',
};
/** Not noticed before a write fails. */
const BY_FAILURE: Limit = { name: 'the last byte', megabytes: 96, ballastMegabytes: 48, minimumFree: '0B' };
const LIMITS = IS_LONG ? [BY_FREE_SPACE, BY_FAILURE] : [BY_FAILURE];

const BYTES = 4000;
const REFUSALS = 20;

let disk: SmallDisk | undefined;
let broker: BrokerProcess | undefined;

afterEach(async () => {
  await broker?.kill();
  disk?.[Symbol.dispose]();
});

function isRefused({ refusals, disconnections }: OfflinePublisher): boolean {
  return refusals.length >= REFUSALS || disconnections.length >= 2;
}

class Run {
  readonly session = new OfflineSession();
  readonly newOnes: readonly OfflinePublisher[];
  readonly oldOne: OfflinePublisher;

  constructor() {
    const common = { window: 4, bytes: BYTES } as const;
    this.newOnes = ([1, 2] as const).map((qos) =>
      this.session.publisher({ clientId: `new-${qos}`, version: 5, qos, ...common }),
    );
    this.oldOne = this.session.publisher({ clientId: 'old', version: 4, qos: 1, ...common });
  }

  /** Fills the disk, until everybody has been refused in the way of his protocol version. */
  async fill(port: number): Promise<void> {
    const { changes } = this.session;
    await this.session.subscribe(port);
    for (const publisher of [...this.newOnes, this.oldOne]) await publisher.connect(port);
    // Whose message was taken in and could not be written is disconnected with 0x97, for it is not known whether it will
    // be stored yet. Back again, he is refused message by message, or sent away again if he asks for that one.
    for (const publisher of this.newOnes) publisher.insist();
    // It is held, and after a while disconnected: MQTT 3 has no other way to say no.
    this.oldOne.giveUp();
    for (const publisher of [...this.newOnes, this.oldOne]) publisher.sendUntilRefused(REFUSALS);
    await changes.until(
      () => this.newOnes.every(isRefused) && this.oldOne.client.isClosed,
      () => `refusals (${this.newOnes.map(({ refusals }) => refusals.length)}), and MQTT 3 to be disconnected`,
    );
    for (const publisher of [...this.newOnes, this.oldOne]) publisher.halt();
    expect(this.oldOne.client.underWay).toBeGreaterThan(0);
    const codes = this.newOnes.flatMap(({ refusals, disconnections }) => [...refusals, ...disconnections]);
    expect(new Set(codes)).toEqual(new Set([QUOTA_EXCEEDED]));
    figure('full', JSON.stringify(this.session.ledger.totals()));
  }

  /** Every publisher gets a message through, the MQTT 3 one what it could not before. */
  async goOn(port: number): Promise<void> {
    for (const publisher of this.newOnes) {
      if (publisher.client.isClosed) await publisher.connect(port);
      publisher.insist();
      await publisher.publishUntilTaken();
    }
    if (this.oldOne.client.isClosed) await this.oldOne.connect(port);
    this.oldOne.insist();
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

  /** The broker is killed; resolves when all publishers have noticed. */
  async survive(death: () => Promise<void> | undefined): Promise<void> {
    const publishers = [...this.newOnes, this.oldOne];
    for (const publisher of publishers) publisher.giveUp();
    await death();
    await this.session.changes.until(
      () => publishers.every(({ client }) => client.isClosed),
      () => 'the connections to end',
    );
  }
}

async function start(mounted: SmallDisk, { minimumFree }: Limit): Promise<BrokerProcess> {
  broker = await BrokerProcess.start({
    dataDirectory: mounted.directory,
    environment: {
      MILLRACE__STORAGE__MIN_FREE: minimumFree,
      MILLRACE__STORAGE__FAILURE_TIMEOUT: '1s',
      // The disk shall be what is full, not the queue of the session.
      MILLRACE__SESSIONS__MAX_QUEUED_BYTES: '1GiB',
    },
  });
  return broker;
}

describe.skipIf(SMALL_DISK_OBSTACLE !== undefined)(titleOf('a full disk', SMALL_DISK_OBSTACLE), () => {
  it.each(LIMITS)('up to $name: messages are refused, then taken again when there is room', async (limit) => {
    disk = new SmallDisk(limit.megabytes, limit.ballastMegabytes);
    const run = new Run();
    const { port } = await start(disk, limit);
    await run.fill(port);
    disk.makeRoom();
    await run.goOn(port);
    await run.check(port);
    expect(broker?.hasExited).toBe(false);
  });

  it('makes room for itself when a session fetches what has gathered', async () => {
    const limit = BY_FREE_SPACE;
    disk = new SmallDisk(limit.megabytes, limit.ballastMegabytes);
    const run = new Run();
    const { port } = await start(disk, limit);
    await run.fill(port);
    await run.session.fetchWithoutEnd(port);
    await run.goOn(port);
    await run.session.leave();
    await run.check(port);
  });

  it.each(LIMITS)(
    'up to $name, and then kill -9: what was acknowledged is there after a start with room',
    async (limit) => {
      disk = new SmallDisk(limit.megabytes, limit.ballastMegabytes);
      const run = new Run();
      const { port } = await start(disk, limit);
      await run.fill(port);
      await run.survive(() => broker?.kill());
      disk.makeRoom();
      const { port: newPort } = await start(disk, limit);
      await run.goOn(newPort);
      await run.check(newPort);
    },
  );
});
