/** kill -9 while workers take from queues: nothing acknowledged is lost, nothing that was said to be done comes again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BrokerProcess } from './support/broker-process.js';
import { runQueueCrashes } from './support/queue-crash-run.js';
import { WORK_CONFIGURATION } from './support/queue-fleet.js';
import { figure, roundsOf, SEED } from './support/settings.js';
import { TemporaryDirectory } from './support/temporary-directory.js';

const ROUNDS = roundsOf(3, 25);

it(`keeps its word to workers over ${ROUNDS} kills`, { timeout: 120_000 + ROUNDS * 30_000 }, async () => {
  using directory = new TemporaryDirectory('queue-kill');
  const configurationFile = join(directory.path, 'queues.yaml');
  writeFileSync(configurationFile, WORK_CONFIGURATION);
  const dataDirectory = join(directory.path, 'data');
  const result = await runQueueCrashes({
    rounds: ROUNDS,
    seed: SEED,
    start: () => BrokerProcess.start({ dataDirectory, cwd: directory.path, configurationFile }),
    cut: (broker) => broker.kill(),
    onRound: (round, totals) => figure('round', round, JSON.stringify(totals)),
  });
  figure('queue kill', JSON.stringify(result.totals));
  const report = result.violations.slice(0, 30).join('\n');
  expect(report, `MILLRACE_SEED=${SEED}; ${result.violations.length} violations; log:\n${result.log.join('\n')}`).toBe(
    '',
  );
  expect(result.totals.promised).toBeGreaterThan(0);
  expect(result.totals.deadLetters).toBeGreaterThan(0);
});
