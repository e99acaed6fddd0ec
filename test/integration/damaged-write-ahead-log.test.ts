/** A whole broker on a store of which LevelDB, at the start, has left out a part of its write-ahead log. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { copyAsAfterCrash } from '../support/crash-copy.js';
import { publishPacket } from '../support/publish-packet.js';
import type { RawClient } from '../support/raw-client.js';
import { createTemporaryDirectory } from '../support/temporary-directory.js';
import { persistent, TestBroker } from '../support/test-broker.js';

interface Run {
  readonly test: TestBroker;
  readonly directory: string;
  readonly notices: readonly string[];
}

async function start(directory: string): Promise<Run> {
  const notices: string[] = [];
  const onNotice = (sentence: string): void => void notices.push(sentence);
  // Handed to the operating system and not synced: no machine is killed here.
  const store = await openStore({ directory, durability: 'os', minimumFreeBytes: 0, onNotice });
  return { test: await TestBroker.start({ store }), directory, notices };
}

/** The next process, after this one was killed and a bit of its newest log has changed. */
async function startDamaged({ directory }: Run): Promise<Run> {
  const next = await createTemporaryDirectory();
  const store = join(next, 'store');
  await copyAsAfterCrash(join(directory, 'store'), store);
  const logs = (await readdir(store)).filter((name) => name.endsWith('.log')).sort();
  const path = join(store, logs.at(-1) as string);
  const bytes = await readFile(path);
  bytes[40] = (bytes[40] as number) ^ 4;
  await writeFile(path, bytes);
  return await start(next);
}

async function away({ test }: Run, clientId: string): Promise<void> {
  const client = await test.connect(clientId, persistent(5));
  await client.subscribe('t', 1);
  await client.disconnect();
  await test.gone(clientId);
}

/** Acknowledged one batch after the other. */
async function publish({ test }: Run, from: number, to: number): Promise<void> {
  const publisher = await test.connect('p');
  const BATCH = 50;
  for (let at = from; at < to; at += BATCH) {
    const packets = Array.from({ length: BATCH }, (_, i) => {
      return publishPacket('t', `${at + i}`.padEnd(100, '.'), { qos: 1, messageId: i + 1 });
    });
    publisher.sendTogether(packets);
    await publisher.expectPackets('puback', BATCH);
  }
  await publisher.disconnect();
  await test.gone('p');
}

/** Numbers from `from` on of the messages that the session gets, in the order in which they come. */
async function numbersFor({ test }: Run, clientId: string, from: number): Promise<number[]> {
  const waiting = test.broker.accounting.waiting;
  const client: RawClient = await test.open(5);
  client.acknowledgesByItself = true;
  await client.connect({ clientId, ...persistent(5) });
  const packets = await client.expectPackets('publish', waiting);
  await client.expectNothing();
  return packets.map(({ payload }) => Number.parseInt(payload.toString(), 10)).filter((number) => number >= from);
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a bit that has changed at the head of the write-ahead log', () => {
  it('took the reservation of message numbers with it, and new messages overwrote stored ones', async () => {
    const first = await start(await createTemporaryDirectory());
    await away(first, 's');
    await first.test.broker.stop(0);
    const second = await start(first.directory);
    expect(second.notices).toEqual([]);
    await publish(second, 0, 3000);
    const third = await startDamaged(second);
    expect(third.notices[0]).toMatch(/^\d+ bytes of the log/);
    expect(third.notices.join('\n')).toContain('which message numbers have been given out was lost or damaged');
    const kept = third.test.broker.accounting.waiting;
    expect(kept).toBeGreaterThan(2000);
    await publish(third, 3000, 5000);
    expect(third.test.broker.accounting).toMatchObject({ waiting: kept + 2000, dropped: 0, missing: 0 });
    const received = await numbersFor(third, 's', 0);
    expect(received).toEqual([...numbers(3000 - kept, 5000)]);
  });

  it('made sessions that had read further than the log reaches miss what came then', async () => {
    const first = await start(await createTemporaryDirectory());
    await away(first, 's');
    await first.test.broker.stop(0);
    const second = await start(first.directory);
    await publish(second, 0, 2000);
    expect(await numbersFor(second, 's', 0)).toEqual(numbers(0, 2000));
    await publish(second, 2000, 2050);
    const third = await startDamaged(second);
    await publish(third, 5000, 6000);
    expect(await numbersFor(third, 's', 5000)).toEqual(numbers(5000, 6000));
  });

  it('took the format with it, and the start was refused', async () => {
    const first = await start(await createTemporaryDirectory());
    await away(first, 's');
    await publish(first, 0, 1000);
    const second = await startDamaged(first);
    expect(second.notices.join('\n')).toMatch(/The identity of the broker was lost/);
    await away(second, 's2');
    await publish(second, 1000, 2000);
    expect(await numbersFor(second, 's2', 1000)).toEqual(numbers(1000, 2000));
    await second.test.broker.stop(0);
    const third = await start(second.directory);
    expect(third.notices).toEqual([]);
  });
});
