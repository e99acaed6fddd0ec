/** System calls of the broker: no acknowledgement leaves before the disk has confirmed what it acknowledges. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { type AnsweredPacket, CommitProof, PacketType } from './support/commit-proof.js';
import { OfflineSession, type PublishOptions } from './support/offline-session.js';
import { figure, IS_LONG, titleOf } from './support/settings.js';
import { readTrace, STRACE, TRACE_OBSTACLE } from './support/system-call-trace.js';
import { TemporaryDirectory } from './support/temporary-directory.js';

const MESSAGES = 200;
const { Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback } = PacketType;
/** Keys as OfflineSession makes them. */
const KEY = /publisher:\d+ /;

let folder: TemporaryDirectory;
let directory: string;
let broker: BrokerProcess | undefined;
let session: OfflineSession;

beforeEach(() => {
  folder = new TemporaryDirectory('trace');
  directory = join(folder.path, 'data');
  mkdirSync(directory);
  session = new OfflineSession();
});

afterEach(async () => {
  session.destroy();
  await broker?.kill();
  folder[Symbol.dispose]();
});

/** One run: a session subscribes and leaves, messages are published and fetched. @returns what the trace proves */
async function traced(options: Omit<PublishOptions, 'clientId'>, durability = 'fsync'): Promise<CommitProof> {
  const file = join(folder.path, 'trace');
  broker = await BrokerProcess.start({
    dataDirectory: directory,
    cwd: folder.path,
    environment: { MILLRACE__STORAGE__DURABILITY: durability },
    wrapper: [...STRACE, file],
  });
  await session.subscribe(broker.port);
  const publisher = session.publisher({ clientId: 'publisher', ...options });
  await publisher.connect(broker.port);
  await publisher.publish(MESSAGES);
  await session.fetch(broker.port);
  await session.leave();
  publisher.client.disconnect();
  await broker.stop();
  expect(session.findings()).toEqual([]);
  const proof = new CommitProof(
    readTrace(readFileSync(file, 'utf8'), (target) => target.startsWith('TCP:') || target.startsWith(directory)),
  );
  figure(JSON.stringify(options), durability, 'syncs', proof.syncCount);
  return proof;
}

/** The publisher's messages with their answers. */
function publishedIn(proof: CommitProof, answer: number): AnsweredPacket[] {
  return proof.answered(Publish, answer).filter(({ request }) => KEY.test(request.frame.toString('latin1')));
}

/** Those that were answered before their data was confirmed; the data is any of the pieces that `piecesOf` names. */
function early(
  proof: CommitProof,
  packets: readonly AnsweredPacket[],
  piecesOf: (frame: Buffer) => Buffer[],
): string[] {
  return packets
    .filter(({ request, answer }) => {
      const confirmedAt = proof.confirmedAt(piecesOf(request.frame));
      return confirmedAt === undefined || confirmedAt >= answer.call.began;
    })
    .map(({ request }) => `${request.packetId} ${request.frame.toString('latin1').slice(0, 60)}`);
}

/** A message's key stands twice in its payload, at a distance: a block border of the database can hit only one. */
function payloadPieces(frame: Buffer): Buffer[] {
  const [key = ''] = KEY.exec(frame.toString('latin1')) ?? [];
  const start = frame.indexOf(key);
  return [frame.subarray(start, start + 60), frame.subarray(start + 60, start + 120)];
}

describe.skipIf(TRACE_OBSTACLE !== undefined)(titleOf('a system call trace', TRACE_OBSTACLE), () => {
  const bytes = 200;

  const versions = IS_LONG ? ([4, 5] as const) : ([4] as const);

  it.each([1, 50].flatMap((window) => versions.map((version) => [window, version] as const)))(
    'shows SUBACK and each PUBACK behind the fdatasync of what they acknowledge, window %i, MQTT %i',
    async (window, version) => {
      const proof = await traced({ version, window, qos: 1, bytes });
      const published = publishedIn(proof, Puback);
      expect(published).toHaveLength(MESSAGES);
      expect(early(proof, published, payloadPieces)).toEqual([]);
      // The session's SUBACK, in passing.
      const subscribed = proof.answered(Subscribe, Suback);
      expect(subscribed).toHaveLength(1);
      expect(early(proof, subscribed, () => [Buffer.from('offline/#')])).toEqual([]);
    },
  );

  it.each(IS_LONG ? [1, 50] : [50])(
    'shows PUBREC and PUBCOMP behind their fdatasync, towards both sides, window %i',
    async (window) => {
      const proof = await traced({ version: 5, window, qos: 2, bytes });
      const published = publishedIn(proof, Pubrec);
      expect(published).toHaveLength(MESSAGES);
      expect(early(proof, published, payloadPieces)).toEqual([]);
      const since = (packets: readonly AnsweredPacket[]): number =>
        packets.filter(({ request, answer }) => {
          const confirmedAt = proof.confirmedSince(request.call.ended);
          return confirmedAt === undefined || confirmedAt >= answer.call.began;
        }).length;
      // The release of an identifier, before PUBCOMP; the receipt of PUBREC from the subscriber, before PUBREL.
      const released = proof.answered(Pubrel, Pubcomp);
      const received = proof.answered(Pubrec, Pubrel);
      expect([released.length, received.length]).toEqual([MESSAGES, MESSAGES]);
      expect([since(released), since(received)]).toEqual([0, 0]);
    },
  );

  it('shows acknowledgements before any fdatasync with durability os: the check does bite', async () => {
    const proof = await traced({ version: 5, window: 1, qos: 1, bytes }, 'os');
    const published = publishedIn(proof, Puback);
    expect(published).toHaveLength(MESSAGES);
    expect(early(proof, published, payloadPieces).length).toBeGreaterThan(MESSAGES / 2);
  });
});
