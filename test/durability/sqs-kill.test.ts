/** kill -9 while clients of SQS send, receive and delete: what SendMessage was answered is there, what DeleteMessage was answered is gone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { Changes } from './support/changes.js';
import { RandomSource } from './support/random-source.js';
import { figure, roundsOf, SEED } from './support/settings.js';
import { SqsBook } from './support/sqs-book.js';
import { SqsFleet } from './support/sqs-fleet.js';
import { TemporaryDirectory } from './support/temporary-directory.js';

const ROUNDS = roundsOf(3, 25);
const SHORTEST_ROUND = 100;
const LONGEST_ROUND = 2000;

it(`keeps its word to clients of SQS over ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 30_000 }, async () => {
  using directory = new TemporaryDirectory('sqs-kill');
  const configurationFile = join(directory.path, 'queues.yaml');
  writeFileSync(configurationFile, JSON.stringify({ queues: { work: { visibilityTimeout: 1 } } }));
  const dataDirectory = join(directory.path, 'data');
  const start = () => BrokerProcess.start({ dataDirectory, cwd: directory.path, configurationFile });
  const random = new RandomSource(SEED);
  const book = new SqsBook();
  const changes = new Changes();
  const fleet = new SqsFleet(book, random, changes);

  let broker = await start();
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      fleet.start(broker.sqsPort);
      const target = book.promised + random.integer(SHORTEST_ROUND, LONGEST_ROUND);
      await changes.until(
        () => book.promised >= target && book.deleted * 2 > book.promised,
        () => `${target - book.promised} more promises, ${book.deleted} deleted`,
      );
      await broker.kill();
      await fleet.stop();
      figure('round', round, book.promised, 'promised', book.deliveries, 'deliveries', book.deleted, 'deleted');
      broker = await start();
    }
    await fleet.drain(broker.sqsPort);
  } finally {
    await broker.kill();
    await fleet.stop();
  }
  const violations = book.verdict();
  expect(violations.slice(0, 30), `MILLRACE_SEED=${SEED}; ${violations.length} violations`).toEqual([]);
  expect(book.promised).toBeGreaterThan(0);
  expect(book.deleted).toBeGreaterThan(0);
});
